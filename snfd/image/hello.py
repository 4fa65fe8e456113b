"""The demo image: a disk whose boot sector says hello and echoes what is typed.

It needs no kernel and no tool to build, boots at once under any PC emulation,
and powers off when asked to (ACPI's power button, at the ports where SeaBIOS
puts them).
"""

from __future__ import annotations

SIZE = 1 << 20
_ORIGIN = 0x7C00

_START = bytes.fromhex(
    "fa 31c0 8ed8 8ed0 bc007c"  # cli; ds = ss = 0; sp = 7c00
    "e4a1 0c02 e6a1 fb"  # mask IRQ 9: the power button is polled; sti
    "ba0206 b80001 ef"  # PM1 enable: power button
    "b80300 cd10"  # text mode, 80 × 25
    "be"  # mov si, message (filled in)
)
_LOOP = bytes.fromhex(
    "ac 84c0 7409 b40e bb0700 cd10 ebf2"  # print until NUL
    "f4 ba0006 ed f6c401 7513"  # hlt; power button pressed? then off
    "b401 cd16 74f0"  # no key? then again
    "b400 cd16 b40e bb0700 cd10 ebe3"  # echo the key; again
    "ba0406 b80020 ef f4 ebfd"  # PM1 control: sleep type 0, sleep; stay off
)


def hello(text: str = "Hello from snfd!") -> bytes:
    """A bootable raw disk of 1 MiB that shows ``text`` (ASCII).

    :raises ValueError: the text does not fit into the boot sector.
    """
    message = f"{text}\r\n\r\nThis server is yours. Type: ".encode("ascii") + b"\0"
    address = _ORIGIN + len(_START) + 2 + len(_LOOP)
    code = _START + address.to_bytes(2, "little") + _LOOP + message
    if len(code) > 440:
        raise ValueError("the text does not fit into a boot sector")
    sector = code.ljust(510, b"\0") + b"\x55\xaa"
    return sector.ljust(SIZE, b"\0")
