"""The texts of our own form that a version can change, as they come with Rooftree.

The consent wording is in `form_wording`; the other words of the page are in the web package.
"""

LANGUAGES = ("en", "es")

INTRODUCTION = {
    "en": {
        "title": "Tell us about your home loan",
        "lead": "Three short steps. No Social Security number, and no effect on your credit.",
        "consent_label": "Call and text me (optional)",
    },
    "es": {
        "title": "Cuéntenos sobre su préstamo hipotecario",
        "lead": "Tres pasos cortos. Sin número de Seguro Social y sin afectar su crédito.",
        "consent_label": "Llámenme y envíenme mensajes de texto (opcional)",
    },
}
STEP_TITLES = {
    "en": ("What you want to do", "How to reach you", "Your home and loan", "A few more details"),
    "es": (
        *("Qué desea hacer", "Cómo comunicarnos con usted", "La vivienda y el préstamo"),
        "Algunos detalles más",
    ),
}
STEP_HINTS = {
    "en": ("", "", "Skip anything you don’t know yet.", ""),
    "es": ("", "", "Deje en blanco lo que aún no sepa.", ""),
}
LABELS = {
    "en": {
        "loan_purpose": "What would you like to do?",
        "property_state": "State where the home is",
        "property_zip": "ZIP code",
        "property_value": "Home price or value",
        "down_payment": "Down payment",
        "loan_amount": "How much would you like to borrow?",
        "credit": "How is your credit?",
        "timeline": "When would you like to close?",
        "first_name": "First name",
        "last_name": "Last name",
        "email": "Email",
        "phone": "Phone",
        "language": "Preferred language",
        "message": "Anything else we should know?",
        "property_type": "Type of home",
        "property_use": "How will you use the home?",
        "current_balance": "What you still owe on the home",
        "first_time_buyer": "Is this your first home?",
        "found_home": "Have you found a home?",
        "working_with_agent": "Do you have a real estate agent?",
        "military": "Have you or your spouse served in the military?",
        "contact_time": "Best time to reach you",
    },
    "es": {
        "loan_purpose": "¿Qué desea hacer?",
        "property_state": "Estado donde está la vivienda",
        "property_zip": "Código postal",
        "property_value": "Precio o valor de la vivienda",
        "down_payment": "Pago inicial",
        "loan_amount": "¿Cuánto desea pedir prestado?",
        "credit": "¿Cómo está su crédito?",
        "timeline": "¿Cuándo desea cerrar?",
        "first_name": "Nombre",
        "last_name": "Apellido",
        "email": "Correo electrónico",
        "phone": "Teléfono",
        "language": "Idioma preferido",
        "message": "¿Algo más que debamos saber?",
        "property_type": "Tipo de vivienda",
        "property_use": "¿Cómo usará la vivienda?",
        "current_balance": "Lo que aún debe de la vivienda",
        "first_time_buyer": "¿Es su primera vivienda?",
        "found_home": "¿Ya encontró una vivienda?",
        "working_with_agent": "¿Tiene un agente inmobiliario?",
        "military": "¿Usted o su cónyuge sirvió en las fuerzas armadas?",
        "contact_time": "Mejor hora para comunicarnos con usted",
    },
}
HINTS = {
    "en": {
        "property_value": "A rough number is fine, such as $350,000.",
        "down_payment": "Only if you’re buying: dollars or percent, such as $40,000 or 10%.",
        "loan_amount": "If you own the home, include what you still owe.",
        "credit": "Your best guess. We don’t check your credit.",
        "email": "Enter an email or a phone number. Both is best.",
        "message": "Please leave out Social Security, card and account numbers.",
        "current_balance": "Only if you own the home. A rough number is fine.",
    },
    "es": {
        "property_value": "Una cifra aproximada está bien, como $350,000.",
        "down_payment": "Solo si va a comprar: en dólares o porcentaje, como $40,000 o 10%.",
        "loan_amount": "Si ya es dueño de la vivienda, incluya lo que aún debe.",
        "credit": "Su mejor estimación. No revisamos su crédito.",
        "email": "Escriba un correo o un teléfono. Mejor los dos.",
        "message": "Por favor, no incluya números de Seguro Social, de tarjeta ni de cuenta.",
        "current_balance": "Solo si ya es dueño de la vivienda. Una cifra aproximada está bien.",
    },
}
