"""What is left out of texts that others wrote, and what must stay readable.

Every secret is put together here from parts, so that none stands in the repository.
"""

import base64
import json
import re
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlevents.services import own_secrets
from mlevents.services.own_secrets import remember_secrets
from mlevents.services.sdk_errors import LONGEST_MESSAGE, clean_text

WORD = "sw0rd" + "Fish" + "77"
LETTERS = "sword" + "fish"
HEX = "0123456789abcdef" * 2
LONG = "Ab3dEf6hIj9kLm2nOp5q" * 2
KEY = base64.b64encode(bytes(range(64))).decode()
SHORT_KEY = base64.b64encode(bytes(range(32))).decode()
JWT = (
    ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().strip("=")
        for part in ({"alg": "none"}, {"sub": "someone"})
    )
    + "."
    + LONG
)
PEM = "\n".join(
    ["-" * 5 + "BEGIN RSA " + "PRIVATE KEY" + "-" * 5, KEY, "-" * 5 + "END RSA " + "PRIVATE KEY" + "-" * 5]
)

NAMED = [
    "DB_PASSWORD={}",
    "export PGPASSWORD={}",
    "AZURE_CLIENT_SECRET={}",
    "OPENAI_API_KEY={}",
    "HF_TOKEN={}",
    "WANDB_API_KEY={}",
    "AWS_SECRET_ACCESS_KEY={}",
    "aws_session_token = {}",
    "set REDIS_PASSWORD={}",
    "DB_PASSWORD_PROD={}",
    "SECRET_KEY='{}'",
    "MLFLOW_TRACKING_PASSWORD={}",
    "GITHUB_PAT={}",
    "PASSWORD2={}",
    '{{"primaryKey": "{}"}}',
    '{{"secondaryKey":"{}"}}',
    '{{"password": "{}"}}',
    "{{'client_secret': '{}'}}",
    '{{"accessToken": "{}"}}',
    '{{"refresh_token":"{}"}}',
    '{{"connectionString": "{}"}}',
    '{{"apiKey": "{}"}}',
    '{{\\"password\\": \\"{}\\"}}',
    '{{"adminPassword": "{}"}}',
    '{{"storageAccountKey": "{}"}}',
    '{{"sasToken":"{}"}}',
    "password: {}",
    "db_password: {}",
    "client-secret: {}",
    "api_key: '{}'",
    'passphrase: "{}"',
    "token: {}",
    "secret: {}",
    "x-functions-key: {}",
    "Ocp-Apim-Subscription-Key: {}",
    "X-Api-Key: {}",
    "api-key: {}",
    "x-ms-client-secret: {}",
    "Authorization: Bearer {}",
    "authorization: Basic {}",
    "Authorization: token {}",
    "Proxy-Authorization: Basic {}",
    "Authorization: ApiKey {}",
    '"Authorization": "Bearer {}"',
    "-H 'Authorization: Bearer {}'",
    "Cookie: session={}",
    "Set-Cookie: id={}; HttpOnly",
    "Private-Token: {}",
    "redis://:{}@cache.example.com:6380",
    "postgresql://app:{}@db.example.com/prod",
    "mongodb+srv://u:{}@c.example.com",
    "amqp://guest:{}@mq",
    "https://user:{}@git.example.com/x.git",
    "mysql+pymysql://root:{}@db/x",
    "https://f.example.com/api/x?code={}",
    "https://b.blob.core.windows.net/c?sv=2024-01-01&sig={}&se=2026",
    "https://maps.example.com/?q=1&subscription-key={}",
    "https://g.example.com/v1?key={}",
    "?access_token={}&x=1",
    "GET /x?api_key={} 401",
    "Server=db;Database=x;User Id=sa;Password={};",
    "Driver=ODBC;UID=sa;PWD={};Encrypt=yes",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={};EndpointSuffix=core.windows.net",
    "Endpoint=sb://n.servicebus.windows.net/;SharedAccessKeyName=x;SharedAccessKey={}",
    "InstrumentationKey={};IngestionEndpoint=https://x",
    "HostName=h.azure-devices.net;SharedAccessKey={}",
    "SharedAccessSignature sr=x&sig={}&se=1&skn=y",
    "SharedKey account:{}",
    "mysql --password {}",
    "az login --service-principal -u app -p {}",
    "tool --api-key={}",
    "tool --client-secret '{}'",
    "curl -u user:{} https://x",
    "machine h.example.com login me password {}",
    "<password>{}</password>",
    '<add key="x" password="{}" />',
    "<ns:clientSecret a='1'>{}</ns:clientSecret>",
    "('password', '{}')",
    "password => {}",
    "password := {}",
    "password={} rejected",
    "login failed with password='{}'",
    "the password is wrong: password={}",
    "token%3D{}",
    "spring.datasource.password={}",
    "ConnectionStrings:Db={}",
    "config['api_key'] = '{}'",
    'os.environ["DB_PASSWORD"] = "{}"',
    'password = """{}"""',
    "DATABASE_URL=postgres://u:{}@h/db",
    "pwd: {}",
    "webhook_url: https://x/{}",
]
FORMS = [
    "gh" + "p_" + LONG[:36],
    "github_" + "pat_" + LONG,
    "gl" + "pat-" + LONG[:20],
    "s" + "k-" + "proj-" + LONG,
    "s" + "k-" + "ant-" + LONG,
    "xo" + "xb-" + "123456789012-" + LONG[:24],
    "AK" + "IA" + "ABCDEFGHIJKLMNOP",
    "AI" + "za" + LONG[:35],
    "s" + "k_live_" + LONG[:24],
    "S" + "G." + LONG[:22] + "." + LONG[:40],
    "hf" + "_" + LONG[:34],
    "np" + "m_" + LONG[:36],
    "dap" + "i" + HEX,
    "py" + "pi-" + "AgEIcHlwaS5vcmc" + LONG,
    "abc8" + "Q~" + LONG[:34],
    JWT,
    KEY,
    SHORT_KEY,
    PEM,
    PEM.replace("\n", "\\n"),
    "hooks.slack.com/services/".join(["https://", "T0/B0/" + LONG]),
    "12345678:" + "AA" + LONG[:33],
]
NEVER = [
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ml-prod",
    "run b7c1a3f0-5f0e-4b8e-9a51-6d4f0c2e7a90 of experiment churn failed",
    "job 'mlevents-0123456789abcdef0123' is Failed: see why at https://ml.azure.com/runs/x?wsid=/subscriptions/0",
    "deployment 'fraud-net-3-xf2f7110' is Succeeded; traffic {'blue': 90, 'green': 10}",
    "sha256:" + HEX * 2,
    "image mcr.example.com/base@sha256:" + HEX * 2,
    "commit " + HEX[:20] + HEX[:20],
    "Content-MD5: " + base64.b64encode(bytes(16)).decode(),
    "token expired",
    "error getting token: the identity does not exist",
    "Failed to get token: ManagedIdentityCredential authentication unavailable.",
    "password: required",
    "secret: not found in the vault",
    "the secret 'TEAMS_WORKFLOW_URL' is missing",
    "the app setting 'DB_PASSWORD' is not set",
    "max_tokens=4096, total_tokens: 512",
    "token_count: 37",
    "primary_key: id is the column",
    "partition_key=region",
    "sort_key: created",
    "tests pass: 12 of 12",
    "auth: none",
    "pass 2 of 3",
    "key: fraud-net",
    "mlevents.key=deploy",
    "partition key = /id",
    "reading the key of endpoint 'fraud': Azure answered 403 AuthorizationFailed",
    "authorization failed for action 'Microsoft.Insights/metrics/read'",
    "Attempted credentials: EnvironmentCredential: authentication unavailable. ManagedIdentityCredential: no",
    "error code=OutOfQuota",
    "exit code: 137",
    "signal 'prediction_drift' has failed",
    "design: new",
    "compass: north",
    "bypass: yes",
    "assigned=true",
    "https://westeurope.api.azureml.ms/mlflow/v1.0/x?api-version=2024-10-01&page=2",
    "GET https://x.example.com:8443/a/b?c=d answered 404",
    "azureml://datastores/workspaceblobstore/paths/a/b.csv",
    "git@github.com:org/repo.git",
    "mail to mlops@example.com was refused: 550 5.1.1",
    "ResourceNotFound: The Resource 'Microsoft.Storage/storageAccounts/abc' under 'rg' was not found",
    "Bearer token authentication is not permitted",
    "basic authentication is switched off",
    "KeyError: 'accuracy'",
    "ModuleNotFoundError: No module named 'tokenizers'",
    "2026-01-02T03:04:05.678901Z",
    'File "/var/azureml-app/score.py", line 12, in init',
    "np.float64(0.9312), shape=(128, 768)",
    "Retry-After: 3600",
    "x-ms-request-id: b7c1a3f0-5f0e-4b8e-9a51-6d4f0c2e7a90",
    "AccountName=mlstore;EndpointSuffix=core.windows.net",
    "tokenizer: bert-base-uncased",
    "the passkey page",
    "docker run -p 8080:80 image",
    "sort -k 2 -u file",
    "https://ml.azure.com/endpoints/realtime/fraud/detail?wsid=/subscriptions/0/resourceGroups/rg-ml",
    "signature of the function changed",
    "identity: SystemAssigned",
]


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    own_secrets._known.clear()
    yield
    own_secrets._known.clear()


@pytest.mark.parametrize("form", NAMED)
@pytest.mark.parametrize("secret", [WORD, HEX, LONG + "/+" + "=="], ids=["word", "hex", "base64"])
def test_what_is_assigned_to_a_secrets_name_is_left_out(form: str, secret: str) -> None:
    for text in (
        form.format(secret),
        f"before {form.format(secret)}\nafter it",
        f"it said: {form.format(secret)}, then",
    ):
        assert secret not in clean_text(text), clean_text(text)
        assert secret[:8] not in clean_text(text), clean_text(text)


@pytest.mark.parametrize(
    "form", ["password: {}", "DB_PASSWORD={}", '"password": "{}"', "redis://:{}@h", "pwd={}", "--password {}"]
)
def test_a_password_of_letters_alone_is_left_out_too(form: str) -> None:
    assert LETTERS not in clean_text(form.format(LETTERS))


@pytest.mark.parametrize("secret", FORMS, ids=range(len(FORMS)))
@pytest.mark.parametrize("around", ["{}", "got {} there", "'{}'", "x={};y", "\n{}\n", "[{}]"])
def test_what_looks_like_a_key_is_left_out_wherever_it_stands(secret: str, around: str) -> None:
    found = clean_text(around.format(secret))
    assert secret not in found
    assert LONG[:20] not in found
    assert KEY[:20] not in found


@pytest.mark.parametrize("text", NEVER)
def test_ordinary_texts_stay_readable(text: str) -> None:
    assert clean_text(text) == text


def test_a_line_stays_readable_around_its_secret() -> None:
    text = f"cannot connect to db.example.com: password={WORD} was refused (code 28P01)"
    assert clean_text(text) == "cannot connect to db.example.com: password=… was refused (code 28P01)"


OWN = {
    "SMTP_LOGIN": "horse" + " battery/staple",
    "TEAMS_WORKFLOW_URL": "workflows://host.example.com/" + LONG + "/sig" + HEX,
    "AzureWebJobsStorage": f"DefaultEndpointsProtocol=https;AccountName=stmlevents0001;AccountKey={KEY}",
    "IDENTITY_HEADER": "ff00" + HEX,
}


@pytest.mark.parametrize(("name", "value"), OWN.items(), ids=OWN.keys())
def test_our_own_secrets_are_left_out_by_value_in_every_spelling(name: str, value: str) -> None:
    remember_secrets(OWN, in_use=["SMTP_LOGIN", "TEAMS_WORKFLOW_URL"])
    for spelled in (value, quote(value, safe=""), json.dumps(value), f"({value})"):
        assert value[5:] not in clean_text(f"nothing around it names it {spelled} there")


def test_a_part_of_our_own_url_or_connection_string_is_left_out() -> None:
    remember_secrets(OWN, in_use=["TEAMS_WORKFLOW_URL"])
    assert LONG not in clean_text(f"404 for workflow {LONG}")
    assert "sig" + HEX not in clean_text(f"no such signature 'sig{HEX}'")
    assert "stmlevents0001" in clean_text("the account stmlevents0001 is gone")


@pytest.mark.parametrize(
    "value",
    ["587", "starttls", "smtp.example.com", "https://acs.example.com/", "a@b.example, c@d.example", "x"],
)
def test_a_setting_that_is_no_secret_stays_readable(value: str) -> None:
    remember_secrets({"ANY": value}, in_use=["ANY"])
    assert clean_text(f"sent by {value} today") == f"sent by {value} today"


@given(st.text(max_size=300))
def test_any_text_becomes_one_short_line_and_twice_is_once(text: str) -> None:
    found = clean_text(text)
    assert len(found) <= LONGEST_MESSAGE
    assert "\n" not in found


def test_a_long_hostile_text_takes_no_time() -> None:
    texts = [
        "password" * 12_000,
        "a-" * 50_000,
        'password="' * 10_000,
        "://" * 30_000,
        "<password " * 10_000,
        "-" * 100_000,
    ]
    began = time.perf_counter()
    for text in texts:
        clean_text(text)
    assert time.perf_counter() - began < 5


def test_no_secret_stands_in_this_file() -> None:
    with open(__file__, encoding="utf-8") as file:
        text = file.read()
    for secret in (*FORMS, WORD, LONG, KEY):
        assert secret not in text
    assert not re.search(r"[\"']eyJ", text)


RANDOM = "Qm9" + "Xk2" + "vL4t_R7sWcPzYd"
USUAL = [
    "code={}",
    "POST /callback code={}&state=1",
    "device_code: {}",
    "login: {}",
    "assertion={}",
    '"client_assertion": "{}"',
    "SAMLResponse={}",
    "tokens: {}",
    '{{"tokens": ["{}", "other"]}}',
    "access_keys={}",
    'Authorization: Digest username="u", realm="r", nonce="n", uri="/", response="{}"',
    'Digest response="{}"',
    "otp: {}",
]


@pytest.mark.parametrize("secret", [RANDOM, HEX], ids=["letters and digits", "hexadecimal"])
@pytest.mark.parametrize("form", USUAL)
def test_a_random_value_of_a_usual_name_is_left_out(form: str, secret: str) -> None:
    assert secret not in clean_text(form.format(secret))


@pytest.mark.parametrize(
    "text",
    [
        "code=ResourceNotFound",
        "code=InternalServerError500",
        "code=AADSTS700016",
        "status code=500, exit code=137",
        "(Code: MissingSubscription)",
        "login: 3 attempts",
        "login: user2024@contoso.example",
        "max_tokens: 4096, prompt_tokens=12345",
        "tokens: ['hello', 'world']",
        "response='HTTP/1.1 200 OK'",
        "assertion=False",
        "code=fraud-net-v8",
    ],
)
def test_an_ordinary_value_of_a_usual_name_stays_readable(text: str) -> None:
    assert clean_text(text) == text
