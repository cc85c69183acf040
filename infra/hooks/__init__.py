"""What azd and infra/deploy.sh run around a deployment, with the Azure CLI."""
