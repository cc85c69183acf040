"""Azure on your machine: what only Azure has, stood in for on loopback. It is never deployed."""
