"""A picture of few colours, and what a stand-in machine shows on it; no I/O."""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field, frozen

from pocket.font import HEIGHT, WIDTH, glyph

Colour = tuple[int, int, int]
PALETTE: tuple[Colour, ...] = (
    (24, 32, 64),
    (255, 255, 255),
    (224, 32, 32),
    (32, 192, 64),
    (48, 96, 240),
    (240, 208, 32),
    (128, 136, 160),
    (0, 0, 0),
)
BACK, WHITE, RED, GREEN, BLUE, YELLOW, GREY, BLACK = range(8)
_TYPED = 24


@frozen
class Rect:
    """A rectangle of pixels."""

    x: int
    y: int
    width: int
    height: int

    def both(self, other: Rect) -> Rect | None:
        """What two rectangles have in common; None if that is nothing."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        low = min(self.y + self.height, other.y + other.height)
        if right <= left or low <= top:
            return None
        return Rect(left, top, right - left, low - top)

    def around(self, other: Rect | None) -> Rect:
        """The smallest rectangle that has both."""
        if other is None:
            return self
        left, top = min(self.x, other.x), min(self.y, other.y)
        right = max(self.x + self.width, other.x + other.width)
        low = max(self.y + self.height, other.y + other.height)
        return Rect(left, top, right - left, low - top)


@define(eq=False)
class Canvas:
    """A picture; each pixel is a number of a colour in `PALETTE`."""

    width: int = 640
    height: int = 400
    pixels: bytearray = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.pixels = bytearray(self.width * self.height)

    @property
    def all(self) -> Rect:
        """The whole of it."""
        return Rect(0, 0, self.width, self.height)

    def fill(self, rect: Rect, colour: int) -> None:
        """Paint a rectangle; what is outside is ignored."""
        inside = rect.both(self.all)
        if inside is None:
            return
        row = bytes([colour]) * inside.width
        for y in range(inside.y, inside.y + inside.height):
            start = y * self.width + inside.x
            self.pixels[start : start + inside.width] = row

    def write(self, x: int, y: int, text: str, colour: int, scale: int = 2) -> Rect:
        """Write text, with its upper left corner at (x, y); where it is."""
        for place, character in enumerate(text):
            left = x + place * (WIDTH + 1) * scale
            for down, row in enumerate(glyph(character)):
                for right in range(WIDTH):
                    if row >> (WIDTH - 1 - right) & 1:
                        dot = Rect(left + right * scale, y + down * scale, scale, scale)
                        self.fill(dot, colour)
        return Rect(x, y, len(text) * (WIDTH + 1) * scale, HEIGHT * scale)

    def read(self, rect: Rect) -> bytes:
        """The pixels of a rectangle that lies inside, row by row."""
        starts = ((rect.y + row) * self.width + rect.x for row in range(rect.height))
        return b"".join(self.pixels[at : at + rect.width] for at in starts)


@define(eq=False)
class Screen:
    """What a stand-in machine shows: its name, colours, and what was done.

    :ivar changed: the watchers; each is called with the rectangle that changed.
    """

    name: str
    canvas: Canvas = field(factory=Canvas)
    changed: list[Callable[[Rect], None]] = field(init=False, factory=list)
    typed: str = field(init=False, default="")

    def __attrs_post_init__(self) -> None:
        paint = self.canvas
        paint.fill(paint.all, BACK)
        paint.fill(Rect(0, 0, paint.width, 36), BLUE)
        paint.write(12, 8, "SNFD POCKET CLUSTER", WHITE, 3)
        paint.write(12, 60, self.name[:26], YELLOW, 4)
        paint.write(12, 110, "A stand-in: QEMU is not here.", GREY)
        self._line(150, "keys: ", WHITE)
        self._line(180, "pointer: ", WHITE)
        for place, colour in enumerate((WHITE, YELLOW, GREEN, BLUE, RED, GREY, BLACK)):
            paint.fill(Rect(place * 92, paint.height - 80, 92, 80), colour)

    def _line(self, y: int, text: str, colour: int) -> Rect:
        line = Rect(12, y, self.canvas.width - 12, HEIGHT * 2)
        self.canvas.fill(line, BACK)
        self.canvas.write(line.x, y, text, colour)
        return line

    def key(self, symbol: int, down: bool) -> None:
        """A key goes down or up; what it types is shown.

        :param symbol: the X11 keysym.
        """
        if not down:
            return
        if symbol == 0xFF08:
            self.typed = self.typed[:-1]
        elif symbol == 0xFF0D:
            self.typed = ""
        elif 0x20 <= symbol < 0x7F:
            self.typed = (self.typed + chr(symbol))[-_TYPED:]
        else:
            return
        self._tell(self._line(150, f"keys: {self.typed}", WHITE))

    def pointer(self, x: int, y: int, buttons: int) -> None:
        """The pointer moves or clicks; where it is, is shown."""
        colour = GREEN if buttons else WHITE
        self._tell(self._line(180, f"pointer: {x},{y} {buttons:08b}", colour))

    def _tell(self, rect: Rect) -> None:
        for watcher in list(self.changed):
            watcher(rect)
