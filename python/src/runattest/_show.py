"""How results show themselves: in a line, and as a table in a notebook, with everything escaped."""

from __future__ import annotations


class Shown:
    """Something that shows rows of a name and a text."""

    def _rows(self) -> list[tuple[str, str]]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' '.join(f'{n}={t!r}' for n, t in self._rows()[:3])}>"

    def _repr_html_(self) -> str:
        import html

        rows = (f"<tr><th>{html.escape(n)}</th><td>{html.escape(t)}</td></tr>" for n, t in self._rows())
        return f"<table>{''.join(rows)}</table>"
