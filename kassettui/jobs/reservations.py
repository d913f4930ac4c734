"""Free space that jobs have spoken for, so that two of them never count on the same bytes (F2)."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

from kassettui.core.errors import Refused

if TYPE_CHECKING:
    from types import TracebackType


class NotEnoughSpace(Refused):
    """A device has not got the bytes that a job needs, after what others have reserved. Figures are bytes."""

    code = "no_space"

    def __init__(self, *, wanted: int, free: int, reserved: int) -> None:
        super().__init__(
            f"{wanted:,} bytes are needed, {max(0, free - reserved):,} are left"
            + (f" ({free:,} free, {reserved:,} reserved by other jobs)." if reserved else "."),
            remedy="Free some space, or choose another destination.",
        )
        self.wanted = wanted
        self.free = free
        self.reserved = reserved


class Reservation:
    """Bytes on a device that a job will write; a context manager that gives back what is left."""

    def __init__(self, owner: Reservations, device: int, size: int) -> None:
        self._owner = owner
        self.device = device
        self.left = size
        """Bytes that are still to be written."""

    def written(self, size: int) -> None:
        """So many of them are on the disk: the file system counts them now."""
        self._owner.settle(self, min(size, self.left))

    def release(self) -> None:
        """Give back what is left; a second time is nothing."""
        self._owner.settle(self, self.left)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Reservations:
    """What is reserved, by device (`st_dev`)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reserved: dict[int, int] = {}

    def reserved(self, device: int) -> int:
        """Bytes that jobs have reserved on the device and not written yet."""
        return self._reserved.get(device, 0)

    def reserve(self, device: int, size: int, *, free: int) -> Reservation:
        """Speak for `size` bytes of the `free` that the device has now. Raises NotEnoughSpace."""
        with self._lock:
            reserved = self._reserved.get(device, 0)
            if size > free - reserved:
                raise NotEnoughSpace(wanted=size, free=free, reserved=reserved)
            self._reserved[device] = reserved + size
        return Reservation(self, device, size)

    def settle(self, reservation: Reservation, size: int) -> None:
        """So many bytes of a reservation are no longer spoken for (it says so itself)."""
        with self._lock:
            size = min(size, reservation.left)
            reservation.left -= size
            left = self._reserved.get(reservation.device, 0) - size
            if left > 0:
                self._reserved[reservation.device] = left
            else:
                self._reserved.pop(reservation.device, None)
