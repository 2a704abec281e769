"""Reads the PDFs of strangers, in a process of its own that may neither run long nor grow: `pdf.py` starts it.

    pdf_worker.py pages < file.pdf          -> {"pages": 2, "width": 595, "height": 842} (of the first page, in points)
    pdf_worker.py join SIZE < both files    -> the pages of both as one PDF; the first has SIZE bytes

Whatever is wrong, it ends with another status than 0. It imports nothing of this program.
"""

import io
import json
import resource
import sys

import pypdf

SECONDS = 10
MEMORY = 1 << 30


def read(data: bytes) -> pypdf.PdfReader:
    reader = pypdf.PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise ValueError("it needs a password")
    return reader


def pages(data: bytes) -> bytes:
    found = read(data).pages
    box = found[0].mediabox
    return json.dumps({"pages": len(found), "width": round(box.width), "height": round(box.height)}).encode()


def join(data: bytes, size: int) -> bytes:
    writer = pypdf.PdfWriter()
    for part in (data[:size], data[size:]):
        writer.append(read(part))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    data = sys.stdin.buffer.read()
    answer = pages(data) if sys.argv[1] == "pages" else join(data, int(sys.argv[2]))
    sys.stdout.buffer.write(answer)


if __name__ == "__main__":
    main()
