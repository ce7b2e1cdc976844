"""QR codes as SVG, drawn on the server as one path, without scripts or network requests."""

import qrcode  # type: ignore[import-untyped]

QUIET = 4  # modules of white margin, which readers need


def render_qr_svg(text: str) -> str:
    """Return a text as an SVG QR code, black on white even in dark mode."""
    code = qrcode.QRCode(border=0, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make()
    rows = code.get_matrix()
    side = len(rows) + 2 * QUIET
    marks = "".join(
        f"M{x + QUIET} {y + QUIET}h1v1h-1z"
        for y, row in enumerate(rows)
        for x, is_dark in enumerate(row)
        if is_dark
    )
    return (
        f'<svg class="qr" viewBox="0 0 {side} {side}" role="img" '
        f'aria-label="Code to scan with an authenticator app" shape-rendering="crispEdges">'
        f'<rect width="{side}" height="{side}" fill="#fff"/><path d="{marks}" fill="#000"/></svg>'
    )
