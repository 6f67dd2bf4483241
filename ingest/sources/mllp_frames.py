"""MLLP framing: VT, the message, FS, CR. What comes out does not depend on how the bytes were cut into chunks."""

from __future__ import annotations

from dataclasses import dataclass

VT, FS, CR = b"\x0b", b"\x1c", b"\r"
END = FS + CR


def framed(message: bytes) -> bytes:
    """A message in its frame."""
    return VT + message + END


@dataclass(frozen=True, slots=True)
class Overlong:
    """A frame that went on beyond the bound; `beginning` is what was read of it. Nothing follows."""

    beginning: bytes


class Framer:
    """Takes bytes as they come, gives the messages of whole frames.

    Bytes before VT are skipped and counted. A frame ends with FS CR; a sender that leaves out the CR is understood
    when its next frame begins, or by `rest` when nothing more comes. Any other FS is part of the message, and so is VT
    within one: whoever reads the message tells them for what they are.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._content: bytearray | None = None
        self._seen = 0
        self._over = False
        self.skipped_bytes = 0

    @property
    def is_inside(self) -> bool:
        """True while a frame has begun and not ended."""
        return self._content is not None

    def feed(self, data: bytes) -> list[bytes | Overlong]:
        """The messages that are whole now. After an `Overlong` nothing more comes out."""
        found: list[bytes | Overlong] = []
        while data and not self._over:
            if self._content is None:
                data = self._begin(data)
            else:
                self._content += data
                data = self._end(found)
        return found

    def rest(self) -> bytes | None:
        """The message of a frame that lacks only its CR, once nothing more comes; None for any other."""
        content, self._content = self._content, None
        return bytes(content[:-1]) if content is not None and content.endswith(FS) else None

    def _begin(self, data: bytes) -> bytes:
        at = data.find(VT)
        self.skipped_bytes += len(data) if at < 0 else at
        if at < 0:
            return b""
        self._content, self._seen = bytearray(), 0
        return data[at + 1 :]

    def _end(self, found: list[bytes | Overlong]) -> bytes:
        """Looks for the end from where it looked last; gives back what follows it."""
        content = self._content
        assert content is not None
        at = self._find_end(content)
        if (len(content) if at < 0 else at) > self._limit + (at < 0):
            self._over, self._content = True, None
            found.append(Overlong(bytes(content[: self._limit])))
            return b""
        if at < 0:
            self._seen = max(len(content) - 1, 0)
            return b""
        found.append(bytes(content[:at]))
        after = bytes(content[at + 1 :])
        self._content = None
        return after.removeprefix(CR)

    def _find_end(self, content: bytearray) -> int:
        ends = [at for end in (END, FS + VT) if (at := content.find(end, self._seen)) >= 0]
        return min(ends, default=-1)
