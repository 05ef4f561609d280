"""READMEs that show what their programs print."""

from __future__ import annotations

import asyncio

from conformance.examples import refreshed

README = """Some framework.

```sh
pip install some
python talk.py
```

```console
$ python talk.py --flag "two words"
So it went.

$ python quiet.py
It once said something.
```

```console
$ python talk.py
so it went, too
```
"""

NOW = """Some framework.

```sh
pip install some
python talk.py
```

```console
$ python talk.py --flag "two words"

talk.py
--flag
two words
$ python quiet.py
```

```console
$ python talk.py

talk.py
```
"""


async def says(arguments: list[str]) -> str:
    return "\n" if arguments == ["quiet.py"] else "\n".join(["", *arguments, "", ""])


def test_only_what_is_printed_changes() -> None:
    assert asyncio.run(refreshed(README, says)) == NOW
    assert asyncio.run(refreshed(NOW, says)) == NOW
