"""What `mlevents up` prints once the sandbox is up."""

from pathlib import Path

from mlevents.commands.up import describe_sandbox


def test_the_address_of_the_page_comes_before_all_others():
    ready = {"console": "http://h:1/", "functions": "http://h:1", "inbox": "http://h:2"}
    lines = list(
        describe_sandbox({**ready, "workspaces": ["prod"], "inbox_settings": []}, Path("ready.json"))
    )
    assert [line.split()[0] for line in lines[1:4]] == ["console", "app", "inbox"]
    assert lines[1].split()[1] == "http://h:1/"
