"""Walk over the headers of a tar archive and note where each member lies.

Specification: as of the module ``tar``.

Not read: data of members, except the extended headers, long names and maps that are kept there.
"""

from __future__ import annotations

import re

from auditor.errors import FormatError, LimitError
from auditor.formats.path_tree import NAME_SIZE
from auditor.formats.source import Source
from auditor.formats.tar_header import (
    BLOCK,
    ZEROS,
    Header,
    Records,
    add_records,
    decimal_of,
    has_valid_checksum,
    padded,
    parse_header,
)
from auditor.formats.tar_sparse import SparseFile, find_old_data, is_pax_sparse, parse_old_map, parse_pax_map
from auditor.formats.tar_table import DIRECTORY, FILE, HARD_LINK, LINK, OTHER, Table
from auditor.limits import KIB, MIB, Limits

_MAGIC_AT = 257
_FIRST_WINDOW = 4 * KIB
_LAST_WINDOW = MIB
_NOTES = 20
_ACCESS_LIST = re.compile(rb"[0-7]{7}\0")
_TRUNCATED_SIZE = 8 << 30
"""From here on a size does not fit into the digits of a header, so that only the extended one is right."""
_CHECKSUM_LINE = re.compile(rb"[0-9A-Fa-f]{32,128} [ *]?[^\0\n]{1,255}\r?\n?\Z")
_WITHOUT_DATA = {b"1": HARD_LINK, b"2": LINK, b"3": OTHER, b"4": OTHER, b"5": DIRECTORY, b"6": OTHER}


class Walk:
    """The state of one walk."""

    def __init__(self, source: Source, table: Table, limits: Limits) -> None:
        """Begin at the first block."""
        self.source = source
        self.size = source.size
        self.table = table
        self.limits = limits
        self.remarks: list[str] = []
        self.faults: list[str] = []
        self.left_out = 0
        self.is_cut = False
        self.sparse_parts = 0
        self.link_bytes = 0
        self.shared = Records()
        self.local = Records()
        self.long_name: bytes | None = None
        self.long_link: bytes | None = None

    def run(self) -> None:
        """Go from header to header up to the end."""
        position, ended = 0, False
        while position + BLOCK <= self.size:
            block = bytes(self.source.read(position, BLOCK))
            header = None
            try:
                header = parse_header(block)
            except FormatError as error:
                self._fault(f"The member at offset {position} is not listed: {error}.")
            if header is None:
                ended = block == ZEROS
                position = self._find_next(position, ended)
                continue
            ended = False
            try:
                position = self._take(header, position + BLOCK)
            except LimitError as error:
                self._fault(f"Not all members are listed: {error}.")
                ended = True
                break
        if not ended and not self.is_cut:
            self._fault(f"The archive ends at offset {self.size} without an end mark: members may be missing.")
        self._finish()

    def _finish(self) -> None:
        tree = self.table.tree
        for count, what in (
            (tree.climbing, "have paths that climb with '..'; they are listed inside the archive"),
            (tree.absolute, "have absolute paths; they are listed below the root of the archive"),
            (tree.deep, "are nested too deeply; their paths are shortened"),
        ):
            if count:
                self.remarks.append(f"{count} members {what}.")
        if self.left_out:
            self.faults.append(f"{self.left_out} more faults of the archive are not told.")
        self.table.complete()

    def _fault(self, text: str) -> None:
        if len(self.faults) < _NOTES:
            self.faults.append(text)
        else:
            self.left_out += 1

    def _find_next(self, position: int, is_end_mark: bool) -> int:
        """Return where the next header is, behind an end mark or damage; the end of the source where none is."""
        found, first, last = self._scan(position + BLOCK)
        if not is_end_mark:
            first = position
        self._reset()
        if found is None:
            if not is_end_mark:
                self.is_cut = True
                self._fault(f"The archive is damaged at offset {first}; what follows is not read.")
            elif first is not None:
                self._tell_rest(first, last)
            return self.size
        if first is not None:
            self._fault(f"The archive is damaged: bytes {first} to {found} are no members.")
        elif len(self.remarks) < _NOTES:
            self.remarks.append(
                f"The archive continues behind an end mark at offset {position}; both parts are listed."
            )
        return found

    def _tell_rest(self, first: int, last: int) -> None:
        rest = bytes(self.source.read(first, min(last - first, BLOCK)))
        if last - first < BLOCK and _CHECKSUM_LINE.match(rest):
            return
        self.remarks.append(f"{last - first} bytes from offset {first}, behind the end of the archive, are not read.")

    def _scan(self, start: int) -> tuple[int | None, int | None, int]:
        """Return (next header, first and last block before it that is not zero); every byte is looked at once."""
        first: int | None = None
        last = start
        position, window = start, _FIRST_WINDOW
        while position < self.size:
            data = bytes(self.source.read(position, min(window, self.size - position)))
            if data.strip(b"\0"):
                found = self._header_in(data, first is None)
                before = data if found is None else data[:found]
                if before.strip(b"\0"):
                    first = position + _first_used(before) if first is None else first
                    last = position + len(before.rstrip(b"\0"))
                if found is not None:
                    return position + found, first, last
            position += len(data)
            window = min(window * 2, _LAST_WINDOW)
        return None, first, last

    def _header_in(self, data: bytes, is_begin: bool) -> int | None:
        """Return where the first header lies in blocks; one without a magic number only in the first that is used."""
        if is_begin:
            used = _first_used(data)
            if has_valid_checksum(data[used : used + BLOCK]) and used + BLOCK <= len(data):
                return used
        at = data.find(b"ustar")
        while at >= 0:
            begin = at - _MAGIC_AT
            block = data[begin : begin + BLOCK] if begin >= 0 and begin % BLOCK == 0 else b""
            if len(block) == BLOCK and has_valid_checksum(block):
                return begin
            at = data.find(b"ustar", at + 1)
        return None

    def _reset(self) -> None:
        if self.local.values or self.local.sparse_pairs:
            self.local = Records()
        self.long_name = self.long_link = None

    def _take(self, header: Header, at: int) -> int:
        """Note a member, or what is said of the next one; return where the next header is."""
        kind = header.type
        if kind in (b"x", b"X", b"g"):
            records = self.shared if kind == b"g" else self.local
            if not add_records(records, self._read_header_data(header, at)):
                self._fault(f"The extended header at offset {at} is damaged; a name or size may be wrong.")
        elif kind == b"L":
            self.long_name = self._read_header_data(header, at)
        elif kind == b"K":
            self.long_link = self._read_header_data(header, at)
        elif not self._is_note(header, at):
            end = self._take_member(header, at)
            self._reset()
            return end
        return at + padded(header.size)

    def _is_note(self, header: Header, at: int) -> bool:
        """Whether a member is the label of the volume, or an access list as Solaris writes it, rather than a file."""
        if header.type == b"A" and 0 < header.size <= self.limits.tar_header_size and at + header.size <= self.size:
            # How many entries there are, in octal digits: readers that do not know it make a file of it.
            return _ACCESS_LIST.match(bytes(self.source.read(at, min(header.size, 16)))) is not None
        return header.type == b"V" and header.size == 0

    def _read_header_data(self, header: Header, at: int) -> bytes:
        if at + header.size > self.size:
            self.is_cut = True
            self._fault(f"The archive is cut off at offset {self.size}, within an extended header.")
            return b""
        if header.size > self.limits.tar_header_size:
            self._fault(f"An extended header of {header.size} bytes at offset {at} is not read.")
            return b""
        return bytes(self.source.read(at, header.size))

    def _take_member(self, header: Header, at: int) -> int:
        values = self.local.values
        if self.shared.values:
            values = {**self.shared.values, **values}
        size = header.size
        if b"size" in values:
            try:
                size = decimal_of(values[b"size"])
            except FormatError:
                self._fault(f"The size in the extended header before offset {at} is no number.")
            if size != header.size and size < _TRUNCATED_SIZE:
                self._fault(
                    f"The member at offset {at - BLOCK} has {header.size} bytes by its header and {size} by the"
                    " extended one: members may be missing."
                )
        stated = values.get(b"GNU.sparse.name") or values.get(b"path") or self.long_name or header.name
        name = stated.partition(b"\0")[0]
        kind = _WITHOUT_DATA.get(header.type, FILE)
        if header.type == b"D" or (kind == FILE and not size and name.endswith(b"/")):
            kind = DIRECTORY
        if kind != FILE and size and header.type != b"D" and not self._has_data(at, size):
            size = 0
        if kind not in (FILE, HARD_LINK) and size and header.type != b"D":
            self._fault(f"{size} bytes at offset {at} belong to a member that is no file: they are not read.")
        if kind == HARD_LINK and size:
            # pax may store the content with each link.
            kind = FILE
        return self._add(header, kind, name, at, size, values.get(b"linkpath") or self.long_link or header.link)

    def _has_data(self, at: int, size: int) -> bool:
        """Whether data follows the header of a link or the like: some writers state a size and store nothing."""
        if at + BLOCK > self.size or at + padded(size) > self.size:
            return False
        first = bytes(self.source.read(at, BLOCK))
        return first != ZEROS and not has_valid_checksum(first)

    def _add(self, header: Header, kind: int, name: bytes, at: int, size: int, link: bytes) -> int:
        table = self.table
        if kind == DIRECTORY:
            table.fill(table.tree.add_directory(name), DIRECTORY, 0, 0)
            return at + padded(size)
        row = table.tree.add_file(name, b"unnamed-%x" % at)
        table.fill(row, kind, at, size)
        if kind == HARD_LINK:
            table.targets[row] = link.partition(b"\0")[0]
            self.link_bytes += len(table.targets[row])
            if self.link_bytes > self.limits.tar_members * NAME_SIZE:
                raise LimitError("the targets of hard links are too long; raise --limit tar_members")
            return at
        if header.type == b"M":
            table.refusals[row] = "the rest of a file that begins in another volume of the archive"
            self._fault(f"The archive is one of several volumes: the begin of {self._shown(row)} is in another.")
        elif header.type == b"S" or is_pax_sparse(self.local):
            return self._add_sparse(header, row, at, size)
        self._check_end(row, at + size)
        return at + padded(size)

    def _add_sparse(self, header: Header, row: int, at: int, stored: int) -> int:
        begin = at
        try:
            if header.type == b"S":
                begin = find_old_data(self.source, header.old_sparse, at)
                found = parse_old_map(self.source, header.old_sparse, at, begin, stored, self.limits)
            else:
                found = parse_pax_map(self.source, self.local, at, stored, self.limits)
            self._place_sparse(row, found)
        except FormatError as error:
            self.table.refusals[row] = f"a sparse file whose map is not read: {error}"
        self._check_end(row, begin + stored)
        return begin + padded(stored)

    def _place_sparse(self, row: int, found: SparseFile) -> None:
        self.sparse_parts += len(found.parts) // 2
        if self.sparse_parts > self.limits.image_extents:
            raise LimitError("too many parts of sparse files; raise --limit image_extents")
        self.table.fill(row, FILE, found.data_offset, found.size)
        self.table.maps[row] = found.parts

    def _check_end(self, row: int, end: int) -> None:
        missing = end - self.size
        if missing > 0:
            self.is_cut = True
            self._fault(
                f"The archive is cut off at offset {self.size}, or continues in another volume:"
                f" {missing} bytes of {self._shown(row)} and all members behind it are missing."
            )

    def _shown(self, row: int) -> str:
        return self.table.tree.path(row).decode("utf-8", "backslashreplace")


def _first_used(data: bytes) -> int:
    """Return where the block begins that holds the first byte that is not zero."""
    return (len(data) - len(data.lstrip(b"\0"))) // BLOCK * BLOCK
