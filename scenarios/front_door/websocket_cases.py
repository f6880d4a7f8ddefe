"""What comes over a WebSocket: (what, bytes, what is heard). RFC 6455 says the answer.

A number is the code of the close frame that comes, after which the server ends the connection. PONG: a pong with this
payload, and the connection goes on. None: nothing is said, and the connection goes on.
"""
from raw_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, closing, frame

COMMAND = b'{"op":"sub","id":"a","topic":"sources"}'
EURO = "€".encode()
GOTHIC = "𐍈".encode()


def text_with(payload):
    return b'{"op":"note","text":"' + payload + b'"}'


def cut(payload, *sizes, opcode=TEXT):
    """`payload` as fragments of these sizes and a last one with the rest."""
    out, at = b"", 0
    for i, size in enumerate(sizes):
        out += frame(CONTINUATION if i else opcode, payload[at:at + size], final=False)
        at += size
    return out + frame(CONTINUATION, payload[at:])


HEADS = [
    ("text that is not masked", frame(TEXT, b"{}", masked=False), 1002),
    ("ping that is not masked", frame(PING, b"a", masked=False), 1002),
    ("close that is not masked", frame(CLOSE, b"\x03\xe8", masked=False), 1002),
    ("RSV1", frame(TEXT, b"{}", rsv=4), 1002),
    ("RSV2", frame(TEXT, b"{}", rsv=2), 1002),
    ("RSV3", frame(TEXT, b"{}", rsv=1), 1002),
    ("all RSV", frame(TEXT, b"{}", rsv=7), 1002),
    ("RSV1 on a ping", frame(PING, b"", rsv=4), 1002),
    ("RSV1 on a close", frame(CLOSE, b"\x03\xe8", rsv=4), 1002),
    ("RSV1 on a continuation", frame(TEXT, b"{", final=False) + frame(CONTINUATION, b"}", rsv=4), 1002),
] + [(f"opcode {code}", frame(code, b"a"), 1002) for code in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)] + [
    ("opcode 3 without a payload", frame(3), 1002),
    ("opcode 11 behind a right command", frame(TEXT, COMMAND) + frame(11, b""), 1002),
    ("opcode 5 between fragments", frame(TEXT, b"{", final=False) + frame(5, b"}"), 1002),
    ("length 100 in 16 bits", frame(TEXT, b"a" * 100, form=16), 1002),
    ("length 100 in 64 bits", frame(TEXT, b"a" * 100, form=64), 1002),
    ("length 1,000 in 64 bits", frame(TEXT, b"a" * 1000, form=64), 1002),
    ("length with the highest bit", frame(TEXT, b"", length=1 << 63, form=64), 1002),
    ("length of a terabyte", frame(TEXT, b"a" * 100, length=1 << 40, form=64), 1009),
    ("length of 2^63 - 1", frame(BINARY, b"", length=(1 << 63) - 1, form=64), 1009),
    ("16,385 bytes", frame(TEXT, b" " * 16_385), 1009),
    ("16,385 bytes in fragments", cut(b" " * 16_385, 8000, 8000), 1009),
    ("a million bytes in fragments", cut(b" " * 1_000_000, *[1000] * 999), 1009),
]
CONTROL = [
    ("ping of 126 bytes", frame(PING, b"a" * 126), 1002),
    ("ping of 126 bytes in 16 bits of length", frame(PING, b"a" * 126, form=16), 1002),
    ("pong of 200 bytes", frame(PONG, b"a" * 200), 1002),
    ("close of 126 bytes", frame(CLOSE, b"\x03\xe8" + b"a" * 124), 1002),
    ("cut ping", frame(PING, b"a", final=False), 1002),
    ("cut pong", frame(PONG, b"a", final=False), 1002),
    ("cut close", frame(CLOSE, b"\x03\xe8", final=False), 1002),
    ("cut ping with its continuation", frame(PING, b"a", final=False) + frame(CONTINUATION, b"b"), 1002),
    ("ping without a payload", frame(PING), (PONG, b"")),
    ("ping with text", frame(PING, b"are you there"), (PONG, b"are you there")),
    ("ping with bytes", frame(PING, b"\0\xff\xfe"), (PONG, b"\0\xff\xfe")),
    ("ping of 125 bytes", frame(PING, b"a" * 125), (PONG, b"a" * 125)),
    ("ping between fragments", frame(TEXT, COMMAND[:5], final=False) + frame(PING, b"p") + frame(CONTINUATION, COMMAND[5:]), (PONG, b"p")),
    ("ping inside a character", frame(TEXT, text_with(EURO)[:22], final=False) + frame(PING, b"p") + frame(CONTINUATION, text_with(EURO)[22:]), (PONG, b"p")),
    ("pong nobody asked for", frame(PONG, b"here"), None),
    ("pong without a payload", frame(PONG), None),
    ("20 pings, the last one counts", b"".join(frame(PING, b"%d" % i) for i in range(20)), (PONG, b"19")),
    ("20,000 pings, the last one counts", b"".join(frame(PING, b"%d" % i) for i in range(20_000)), (PONG, b"19999")),
]
FRAGMENTS = [
    ("continuation of nothing", frame(CONTINUATION, b"a"), 1002),
    ("cut continuation of nothing", frame(CONTINUATION, b"a", final=False), 1002),
    ("continuation after a whole text", frame(TEXT, COMMAND) + frame(CONTINUATION, b"a"), 1002),
    ("text inside a text", frame(TEXT, b"{", final=False) + frame(TEXT, b"}"), 1002),
    ("binary inside a text", frame(TEXT, b"{", final=False) + frame(BINARY, b"}"), 1002),
    ("cut text inside a text", frame(TEXT, b"{", final=False) + frame(TEXT, b"}", final=False), 1002),
    ("binary", frame(BINARY, b"\0\1\2"), 1003),
    ("empty binary", frame(BINARY), 1003),
    ("binary in fragments", cut(b"\0\1\2\3", 1, 1, opcode=BINARY), 1003),
    ("command in fragments of one byte", cut(COMMAND, *[1] * (len(COMMAND) - 1)), "subscribed"),
    ("command in two fragments", cut(COMMAND, 10), "subscribed"),
    ("command with an empty end", frame(TEXT, COMMAND, final=False) + frame(CONTINUATION), "subscribed"),
    ("command between empty fragments", frame(TEXT, b"", final=False) + frame(CONTINUATION, COMMAND, final=False) + frame(CONTINUATION), "subscribed"),
    ("command behind 10,000 empty fragments", frame(TEXT, b"", final=False) + frame(CONTINUATION, b"", final=False) * 10_000 + frame(CONTINUATION, COMMAND), "subscribed"),
    ("whole command", frame(TEXT, COMMAND), "subscribed"),
    ("command of 126 bytes", frame(TEXT, COMMAND + b" " * (126 - len(COMMAND))), "subscribed"),
    ("command of 16,384 bytes", frame(TEXT, COMMAND + b" " * (16_384 - len(COMMAND))), "subscribed"),
    ("text that is no command", frame(TEXT, b"hello"), "error"),
    ("empty text", frame(TEXT), "error"),
    ("deep JSON", frame(TEXT, b"[" * 16_000), "error"),
]
UTF8 = [
    ("lone continuation byte", frame(TEXT, text_with(b"\x80")), 1007),
    ("byte FF", frame(TEXT, text_with(b"\xff")), 1007),
    ("byte C0", frame(TEXT, text_with(b"\xc0\xaf")), 1007),
    ("overlong in three", frame(TEXT, text_with(b"\xe0\x80\xaf")), 1007),
    ("overlong in four", frame(TEXT, text_with(b"\xf0\x80\x80\xaf")), 1007),
    ("surrogate", frame(TEXT, text_with(b"\xed\xa0\x80")), 1007),
    ("beyond U+10FFFF", frame(TEXT, text_with(b"\xf4\x90\x80\x80")), 1007),
    ("five bytes", frame(TEXT, text_with(b"\xf8\x88\x80\x80\x80")), 1007),
    ("cut character at the end", frame(TEXT, b'{"a":"' + EURO[:2]), 1007),
    ("cut character at the end of the fragments", cut(b'{"a":"' + EURO[:2], 6), 1007),
    ("wrong byte in the second fragment", cut(text_with(b"\xc3\x28"), 22), 1007),
    ("wrong byte in a message that has not ended", frame(TEXT, b'{"a":"\xff', final=False), 1007),
    ("character cut by fragments", cut(text_with(EURO), 22), "error"),
    ("four bytes, each in a fragment", cut(text_with(GOTHIC), 22, 1, 1), "error"),
    ("NUL as text", frame(TEXT, b"\0"), "error"),
]
CLOSES = [
    ("close without a code", frame(CLOSE), 1005),
    ("close of one byte", frame(CLOSE, b"\x03"), 1002),
] + [(f"close {code}", closing(code), code) for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999)] \
  + [(f"close {code}, which is never sent", closing(code), 1002) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)] + [
    ("close with a reason", closing(1000, b"done"), 1000),
    ("close with a reason of 123 bytes", closing(1000, b"a" * 123), 1000),
    ("close with a reason that is not UTF-8", closing(1000, b"\xff"), 1007),
    ("close with a cut character", closing(1000, EURO[:2]), 1007),
    ("close and then a command", closing(1000) + frame(TEXT, COMMAND), 1000),
    ("close and then a ping", closing(1000) + frame(PING, b"a"), 1000),
    ("close and then nonsense", closing(1000) + b"\xff" * 5000, 1000),
    ("close between fragments", frame(TEXT, b"{", final=False) + closing(1000), 1000),
    ("two closes", closing(1000) + closing(1001), 1000),
]
GROUPS = {"heads": HEADS, "control": CONTROL, "fragments": FRAGMENTS, "UTF-8": UTF8, "closes": CLOSES}

# The opening handshake: (what, header fields that differ, status)
HANDSHAKES = [
    ("as it should be", {}, 101),
    ("upgrade in other letters", {"Upgrade": "WebSocket"}, 101),
    ("Connection with two words", {"Connection": "keep-alive, Upgrade"}, 101),
    ("an extension that is not agreed", {"Sec_WebSocket_Extensions": "permessage-deflate"}, 101),
    ("no key", {"Sec_WebSocket_Key": None}, 400),
    ("empty key", {"Sec_WebSocket_Key": ""}, 400),
    ("key of 15 bytes", {"Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAA"}, 400),
    ("key of 17 bytes", {"Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAAA="}, 400),
    ("key that is not base64", {"Sec_WebSocket_Key": "????????????????????????"}, 400),
    ("key with bits left over", {"Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAB=="}, 400),
    ("no version", {"Sec_WebSocket_Version": None}, 426),
    ("version 8", {"Sec_WebSocket_Version": "8"}, 426),
    ("version 14", {"Sec_WebSocket_Version": "14"}, 426),
    ("version 13, 8", {"Sec_WebSocket_Version": "13, 8"}, 426),
    ("no Connection", {"Connection": None}, 400),
    ("Connection that only looks like it", {"Connection": "no-upgrade"}, 400),
    ("no Upgrade", {"Upgrade": None}, 426),
    ("Upgrade to h2c", {"Upgrade": "h2c"}, 426),
    ("no Host", {"Host": None}, 400),
    ("Host of another machine", {"Host": "evil.example"}, 403),
    ("page of another site", {"Origin": "http://evil.example"}, 403),
    ("page of another port", {"Origin": "http://127.0.0.1:1"}, 403),
    ("page without an origin", {"Origin": "null"}, 403),
    ("page of another scheme", {"Origin": "https://127.0.0.1"}, 403),
    ("page that ends like ours", {"Origin": "http://evil.127.0.0.1"}, 403),
    ("another site, as the browser says", {"Sec_Fetch_Site": "cross-site"}, 403),
    ("a body", {"Content_Length": "2"}, 400),
]
