"""The addresses of credit notices that are due, and of what made leads applications."""

from django.urls import path

from rooftree.web.views import application, clocks

urlpatterns = [
    path("compliance/clocks/", clocks.index, name="clocks"),
    path("compliance/clocks/<uuid:clock_id>/", clocks.show, name="credit_clock"),
    path("compliance/clocks/<uuid:clock_id>/proof/", clocks.proof, name="clock_proof"),
    path("leads/<uuid:lead_id>/application/", application.show, name="application"),
    path("leads/<uuid:lead_id>/basis/", application.basis, name="lead_basis"),
]
