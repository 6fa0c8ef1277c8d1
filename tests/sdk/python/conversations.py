"""The conversations of ../README.md, held with the official Python SDK."""

import base64
import json
import os
import sys
import traceback

import openai
from openai import OpenAI

URL = os.environ["OMNIROUTE_URL"].rstrip("/") + "/v1"
KEY = os.environ["OMNIROUTE_KEY"]
ASK = [{"role": "user", "content": "Say hello."}]
WEATHER = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]

client = OpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=30)
chat = client.chat.completions


def models_are_listed():
    models = list(client.models.list())
    ids = [model.id for model in models]
    assert "demo/echo" in ids, ids
    assert all(model.object == "model" and model.owned_by for model in models), models
    assert len(ids) == len(set(ids)), "no model is listed twice"


def a_plain_chat_is_answered():
    answer = chat.create(model="mk/chat", messages=ASK)
    choice = answer.choices[0]
    assert choice.message.content == "Hello there.", choice
    assert choice.finish_reason == "stop", choice
    check_usage(answer.usage)


def a_streamed_chat_gives_usage_when_asked():
    chunks = list(chat.create(model="mk/chat", messages=ASK, stream=True, stream_options={"include_usage": True}))
    assert text_of(chunks) == "Hello there.", chunks
    assert chunks[-1].choices == [], chunks[-1]
    check_usage(chunks[-1].usage)
    assert [chunk.usage for chunk in chunks[:-1] if chunk.usage] == [], "usage comes once"


def a_streamed_chat_gives_no_usage_when_not_asked():
    chunks = list(chat.create(model="mk/chat", messages=ASK, stream=True))
    assert text_of(chunks) == "Hello there.", chunks
    assert all(chunk.choices and not chunk.usage for chunk in chunks), chunks
    assert chunks[-1].choices[0].finish_reason == "stop", chunks[-1]


def the_echo_answers_without_an_account():
    chunks = list(chat.create(model="demo/echo", messages=[{"role": "user", "content": "hello, größe"}], stream=True))
    assert "hello, größe" in text_of(chunks), chunks


def a_tool_is_called_and_its_result_used():
    first = chat.create(model="mk/tools", messages=WEATHER, tools=TOOLS)
    choice = first.choices[0]
    assert choice.finish_reason == "tool_calls", choice
    (call,) = choice.message.tool_calls
    check_call(call.id, call.function.name, call.function.arguments)
    said = choice.message.to_dict()
    second = chat.create(model="mk/tools", messages=[*WEATHER, said, tool_says(call.id)], tools=TOOLS)
    assert second.choices[0].message.content == "18 °C in Paris.", second


def a_tool_is_called_in_a_stream():
    calls = {}
    finish = None
    for chunk in chat.create(model="mk/tools", messages=WEATHER, tools=TOOLS, stream=True):
        for choice in chunk.choices:
            finish = choice.finish_reason or finish
            for piece in choice.delta.tool_calls or []:
                call = calls.setdefault(piece.index, {"id": "", "name": "", "arguments": ""})
                call["id"] += piece.id or ""
                call["name"] += piece.function.name or ""
                call["arguments"] += piece.function.arguments or ""
    assert finish == "tool_calls", finish
    (call,) = calls.values()
    check_call(call["id"], call["name"], call["arguments"])
    function = {"name": call["name"], "arguments": call["arguments"]}
    said = {"role": "assistant", "tool_calls": [{"id": call["id"], "type": "function", "function": function}]}
    chunks = list(chat.create(model="mk/tools", messages=[*WEATHER, said, tool_says(call["id"])], stream=True))
    assert text_of(chunks) == "18 °C in Paris.", chunks


def the_sdk_gathers_a_stream_itself():
    with chat.stream(model="mk/tools", messages=WEATHER, tools=TOOLS) as stream:
        for _event in stream:
            pass
        answer = stream.get_final_completion()
    (call,) = answer.choices[0].message.tool_calls
    check_call(call.id, call.function.name, call.function.arguments)


def images_and_unknown_fields_arrive_as_sent():
    picture = bytes((7 * index * index + index) % 256 for index in range(5000))
    url = "data:image/png;base64," + base64.b64encode(picture).decode()
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": url, "detail": "high"}},
    ]
    schema = {"name": "seen", "schema": {"type": "object", "properties": {"what": {"type": "string"}}}, "strict": True}
    answer = chat.create(
        model="mk/inspect",
        messages=[{"role": "user", "content": parts}],
        response_format={"type": "json_schema", "json_schema": schema},
        temperature=0.25,
        extra_body={"vendor_knob": {"deep": [1, None, "x"]}},
    )
    seen = json.loads(answer.choices[0].message.content)
    assert seen["texts"] == ["What is this?"], seen
    assert seen["images"] == [{"type": "image/png", "bytes": 5000, "sum": fletcher(picture), "detail": "high"}], seen
    fields = seen["fields"]
    assert fields["response_format"] == {"type": "json_schema", "json_schema": schema}, fields
    assert fields["temperature"] == 0.25, fields
    assert fields["vendor_knob"] == {"deep": [1, None, "x"]}, fields


def an_unknown_model_is_refused():
    error = refused((openai.NotFoundError, openai.BadRequestError), model="nowhere/nothing", messages=ASK)
    assert "nowhere" in error.message, "the refusal names what was asked for"


def a_wrong_key_is_refused():
    stranger = OpenAI(base_url=URL, api_key="sk-omni-nobody-has-this-key", max_retries=0, timeout=30)
    try:
        stranger.chat.completions.create(model="mk/chat", messages=ASK)
    except openai.AuthenticationError as error:
        check_error(error)
        assert error.status_code == 401, error
    else:
        raise AssertionError("a key that nobody has was let in")


def a_busy_provider_says_when_to_come_back():
    error = refused(openai.RateLimitError, model="mk/busy", messages=ASK)
    assert error.response.headers["retry-after"] == "7", error.response.headers
    error = refused(openai.RateLimitError, model="demo/rate-limited", messages=ASK, stream=True)
    assert int(error.response.headers["retry-after"]) > 0, error.response.headers


def a_provider_that_is_down_is_told():
    error = refused(openai.InternalServerError, model="demo/down", messages=ASK)
    assert error.status_code == 503, error


def a_stream_that_breaks_raises():
    for model in ("mk/breaks", "mk/fails", "demo/broken-stream"):
        text = ""
        try:
            for chunk in chat.create(model=model, messages=ASK, stream=True):
                text += text_of([chunk])
        except openai.APIError as error:
            assert text, f"{model}: something was said before it broke"
            assert error.message and error.code, f"{model}: {error!r} has a text and a code"
        else:
            raise AssertionError(f"{model}: a broken stream looked whole: {text!r}")


def refused(kinds, **ask):
    try:
        answer = chat.create(**ask)
    except kinds as error:
        check_error(error)
        return error
    raise AssertionError(f"{ask['model']} answered: {answer}")


def check_error(error):
    assert error.message and error.code, f"{error!r} has a text and a code"
    assert error.body["request_id"], error.body


def check_usage(usage):
    counted = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    assert counted == (9, 3, 12), usage


def check_call(identity, name, arguments):
    assert (identity, name) == ("call_1", "get_weather"), (identity, name)
    assert json.loads(arguments) == {"city": "Paris"}, arguments


def tool_says(identity):
    return {"role": "tool", "tool_call_id": identity, "content": "18C"}


def text_of(chunks):
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def fletcher(data):
    low = high = 0
    for byte in data:
        low = (low + byte) % 65535
        high = (high + low) % 65535
    return high << 16 | low


CONVERSATIONS = [
    models_are_listed,
    a_plain_chat_is_answered,
    a_streamed_chat_gives_usage_when_asked,
    a_streamed_chat_gives_no_usage_when_not_asked,
    the_echo_answers_without_an_account,
    a_tool_is_called_and_its_result_used,
    a_tool_is_called_in_a_stream,
    the_sdk_gathers_a_stream_itself,
    images_and_unknown_fields_arrive_as_sent,
    an_unknown_model_is_refused,
    a_wrong_key_is_refused,
    a_busy_provider_says_when_to_come_back,
    a_provider_that_is_down_is_told,
    a_stream_that_breaks_raises,
]


def main():
    failed = 0
    print(f"openai {openai.__version__} on Python {sys.version.split()[0]}")
    for conversation in CONVERSATIONS:
        try:
            conversation()
            print(f"ok      {conversation.__name__}")
        except Exception:
            failed += 1
            print(f"FAILED  {conversation.__name__}\n{traceback.format_exc()}")
    print(f"{len(CONVERSATIONS) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
