"""The web app manifest, which lets a phone install Rooftree as an app."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET


@require_GET
@cache_control(public=True, max_age=3600)
def serve_manifest(request: HttpRequest) -> HttpResponse:
    """Return the web app manifest."""
    icons = [
        {
            "src": static(f"icons/rooftree-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": "any maskable",
        }
        for size in (192, 512)
    ]
    manifest = {
        "id": "/",
        "name": "Rooftree",
        "short_name": "Rooftree",
        "description": "Mortgage lead management",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#faf9f7",
        "theme_color": "#faf9f7",
        "icons": icons,
    }
    return JsonResponse(manifest, content_type="application/manifest+json")
