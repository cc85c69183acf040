"""The links of a response to Azure ML Studio."""

from mlevents.api.studio_links import find_links

TOPIC = "/subscriptions/s/resourcegroups/Rg/providers/microsoft.machinelearningservices/workspaces/ml"
WSID = "/subscriptions/s/resourceGroups/Rg/providers/Microsoft.MachineLearningServices/workspaces/ml"
TENANT = "11111111-2222-3333-4444-555555555555"


def urls(names: object, results: object = None, tenant: str = "", topic: str = TOPIC) -> list[str]:
    return [link.url for link in find_links(topic, names, results or {}, tenant)]  # type: ignore[arg-type]


def test_a_model_a_run_and_what_the_steps_left_have_links():
    names = {"model": {"name": "net", "version": "3"}, "run": {"id": "r/1"}}
    results = {"deploy": {"endpoint": "fraud"}, "train": {"job": "j1"}, "again": {"endpoint": "fraud"}}
    assert urls(names, results) == [
        f"https://ml.azure.com/model/net:3/details?wsid={WSID}",
        f"https://ml.azure.com/runs/r%2F1?wsid={WSID}",
        f"https://ml.azure.com/runs/j1?wsid={WSID}",
        f"https://ml.azure.com/endpoints/realtime/fraud/detail?wsid={WSID}",
    ]


def test_the_tenant_is_in_the_link_only_if_it_is_known():
    [known] = urls({"run": {"id": "r"}}, tenant=TENANT)
    [unknown] = urls({"run": {"id": "r"}}, tenant="&x=1")
    assert (known, unknown) == (f"{unknown}&tid={TENANT}", f"https://ml.azure.com/runs/r?wsid={WSID}")


def test_nothing_is_linked_without_a_workspace_or_with_values_of_another_kind():
    assert urls({"run": {"id": "r"}}, topic="/subscriptions/s") == []
    assert urls({"run": "r", "model": {"name": "net", "version": None}}, {"a": "x", "b": {"job": 3}}) == []
    assert urls({"run": {"id": "\ud800&wsid=x"}}) == [f"https://ml.azure.com/runs/%3F%26wsid%3Dx?wsid={WSID}"]
