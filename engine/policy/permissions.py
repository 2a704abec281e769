"""What a permission of the ICTCore API grants. Pure; asked by `api/ictcore` for every operation.

Names form a hierarchy by their underscores: who holds `contact` may do `contact_create`, `contact_read` and so on. A
`…_admin` permission (seeing the records of all users, not only one's own) is never granted by a shorter name.
"""

from collections.abc import Collection

ADMIN = "_admin"


def grants(held: Collection[str], wanted: str) -> bool:
    """Whether one of the permissions held is `wanted` or stands above it."""
    if wanted in held:
        return True
    names = wanted.split("_")
    return not wanted.endswith(ADMIN) and any("_".join(names[:n]) in held for n in range(1, len(names)))


def covers(held: Collection[str], others: Collection[str]) -> bool:
    """Whether whoever holds these may hand out all of the others, or act as somebody who has them."""
    return all(grants(held, it) for it in others)
