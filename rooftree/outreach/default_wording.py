"""The wording a new company starts with, by purpose, medium and language.

Marketing edits copies of it; these are only the first editions. Liquid, with
strict variables: borrower, lead, officer, company, link. `sender` is how the
sender names themselves: an officer with an NMLS ID, or the company with its own.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    key: str
    medium: str  # text | email
    language: str  # en | es
    subject: str = ""
    body: str


STOP_EN = "Reply STOP to end, HELP for help. Msg & data rates may apply."
STOP_ES = "Responda ALTO para no recibir más, AYUDA para ayuda. Pueden aplicarse cargos."

FIRST_EDITIONS = (
    Wording(
        key="first_hello",
        medium="text",
        language="en",
        body=(
            "Hi {{ borrower.first_name }}, this is {{ sender }}. Thanks for asking about "
            "{{ lead.kind }}{{ lead.where }}. A loan officer will call you shortly. "
            "Is there a time that suits you better? " + STOP_EN
        ),
    ),
    Wording(
        key="first_hello",
        medium="text",
        language="es",
        body=(
            "Hola {{ borrower.first_name }}, le escribe {{ sender }}. Gracias por preguntar por "
            "{{ lead.kind }}{{ lead.where }}. Un asesor hipotecario le llamará en breve. "
            "¿Le conviene más otra hora? " + STOP_ES
        ),
    ),
    Wording(
        key="first_hello",
        medium="email",
        language="en",
        subject="We have your request, {{ borrower.first_name }}",
        body=(
            "Hi {{ borrower.first_name }},\n\n"
            "Thank you for asking {{ company.brand }} about {{ lead.kind }}{{ lead.where }}. "
            "A licensed loan officer is reading your request now and will call you.\n\n"
            "If you would rather talk at another time, or by e-mail only, answer this message "
            "and say so.\n\n"
            "{{ sender }}\n"
        ),
    ),
    Wording(
        key="first_hello",
        medium="email",
        language="es",
        subject="Tenemos su solicitud, {{ borrower.first_name }}",
        body=(
            "Hola {{ borrower.first_name }}:\n\n"
            "Gracias por preguntar a {{ company.brand }} por {{ lead.kind }}{{ lead.where }}. "
            "Un asesor hipotecario con licencia está leyendo su solicitud y le llamará.\n\n"
            "Si prefiere hablar a otra hora, o solo por correo, responda a este mensaje "
            "y díganoslo.\n\n"
            "{{ sender }}\n"
        ),
    ),
    Wording(
        key="not_reached_1",
        medium="text",
        language="en",
        body=(
            "Hi {{ borrower.first_name }}, {{ sender }} here. I tried to reach you about "
            "{{ lead.kind }}{{ lead.where }}. When is a good time to talk? " + STOP_EN
        ),
    ),
    Wording(
        key="not_reached_1",
        medium="text",
        language="es",
        body=(
            "Hola {{ borrower.first_name }}, soy {{ sender }}. Intenté llamarle por "
            "{{ lead.kind }}{{ lead.where }}. ¿Cuándo podemos hablar? " + STOP_ES
        ),
    ),
    Wording(
        key="not_reached_1",
        medium="email",
        language="en",
        subject="I tried to reach you about {{ lead.kind }}",
        body=(
            "Hi {{ borrower.first_name }},\n\n"
            "I tried to call you about {{ lead.kind }}{{ lead.where }} and did not get through. "
            "Which time of day suits you? A short answer to this message is enough.\n\n"
            "{{ sender }}\n"
        ),
    ),
    Wording(
        key="not_reached_1",
        medium="email",
        language="es",
        subject="Intenté llamarle por {{ lead.kind }}",
        body=(
            "Hola {{ borrower.first_name }}:\n\n"
            "Intenté llamarle por {{ lead.kind }}{{ lead.where }} y no lo logré. "
            "¿Qué hora del día le conviene? Basta con una respuesta corta a este mensaje.\n\n"
            "{{ sender }}\n"
        ),
    ),
    Wording(
        key="not_reached_2",
        medium="email",
        language="en",
        subject="Still here when you are ready",
        body=(
            "Hi {{ borrower.first_name }},\n\n"
            "I have kept your request about {{ lead.kind }}{{ lead.where }} open. If your plans "
            "have changed, tell me and I will stop writing. If not, answer with a time and I "
            "will call you then.\n\n"
            "{{ sender }}\n"
        ),
    ),
    Wording(
        key="not_reached_2",
        medium="email",
        language="es",
        subject="Aquí estamos cuando usted quiera",
        body=(
            "Hola {{ borrower.first_name }}:\n\n"
            "Sigo teniendo abierta su solicitud por {{ lead.kind }}{{ lead.where }}. Si sus planes "
            "cambiaron, dígamelo y no le escribiré más. Si no, responda con una hora y le "
            "llamaré entonces.\n\n"
            "{{ sender }}\n"
        ),
    ),
    Wording(
        key="rate_reached",
        medium="text",
        language="en",
        body=(
            "Hi {{ borrower.first_name }}, {{ sender }} here. You asked us to tell you when "
            "{{ rate.product }} rates moved your way: they have. Shall we talk about what "
            "it means for you? " + STOP_EN
        ),
    ),
    Wording(
        key="rate_reached",
        medium="text",
        language="es",
        body=(
            "Hola {{ borrower.first_name }}, soy {{ sender }}. Nos pidió avisarle cuando cambiaran "
            "las tasas de {{ rate.product }}: ya cambiaron. ¿Hablamos de lo que significa "
            "para usted? " + STOP_ES
        ),
    ),
    Wording(
        key="rate_reached",
        medium="email",
        language="en",
        subject="The rate you were waiting for",
        body=(
            "Hi {{ borrower.first_name }},\n\n"
            "You asked us to tell you when {{ rate.product }} reached {{ rate.target }}. On "
            "{{ rate.day }} our sheet showed {{ rate.rate }} (APR {{ rate.apr }}) with "
            "{{ rate.points }} points. Rates change daily and depend on your situation; this "
            "is not an offer or a commitment to lend.\n\n"
            "Answer this message or call me and we will look at your numbers.\n\n"
            "{{ sender }}\n"
        ),
    ),
    Wording(
        key="rate_reached",
        medium="email",
        language="es",
        subject="La tasa que estaba esperando",
        body=(
            "Hola {{ borrower.first_name }}:\n\n"
            "Nos pidió avisarle cuando {{ rate.product }} llegara a {{ rate.target }}. El "
            "{{ rate.day }} nuestra hoja mostraba {{ rate.rate }} (APR {{ rate.apr }}) con "
            "{{ rate.points }} puntos. Las tasas cambian cada día y dependen de su situación; "
            "esto no es una oferta ni un compromiso de préstamo.\n\n"
            "Responda a este mensaje o llámeme y veremos sus números.\n\n"
            "{{ sender }}\n"
        ),
    ),
    Wording(
        key="clear_to_close",
        medium="text",
        language="en",
        body=(
            "Good news, {{ borrower.first_name }}: your loan is clear to close. {{ sender }} will "
            "call you about the closing date. " + STOP_EN
        ),
    ),
    Wording(
        key="clear_to_close",
        medium="text",
        language="es",
        body=(
            "Buenas noticias, {{ borrower.first_name }}: su préstamo está listo para el cierre. "
            "{{ sender }} le llamará para acordar la fecha. " + STOP_ES
        ),
    ),
    Wording(
        key="clear_to_close",
        medium="email",
        language="en",
        subject="Your loan is clear to close",
        body=(
            "Hi {{ borrower.first_name }},\n\n"
            "Underwriting has cleared your loan to close. The next step is the closing itself; "
            "I will call you to agree on the date and tell you what to bring.\n\n"
            "{{ sender }}\n"
        ),
    ),
    Wording(
        key="clear_to_close",
        medium="email",
        language="es",
        subject="Su préstamo está listo para el cierre",
        body=(
            "Hola {{ borrower.first_name }}:\n\n"
            "Su préstamo quedó aprobado para el cierre. El próximo paso es el cierre mismo; "
            "le llamaré para acordar la fecha y decirle qué debe traer.\n\n"
            "{{ sender }}\n"
        ),
    ),
    Wording(
        key="stop_confirmed",
        medium="text",
        language="en",
        body=(
            "{{ company.brand }} (NMLS {{ company.nmls_id }}): you are unsubscribed and will get "
            "no more texts or automated calls from us."
        ),
    ),
    Wording(
        key="stop_confirmed",
        medium="text",
        language="es",
        body=(
            "{{ company.brand }} (NMLS {{ company.nmls_id }}): hemos cancelado sus mensajes y no "
            "recibirá más textos ni llamadas automáticas nuestras."
        ),
    ),
    Wording(
        key="help_answer",
        medium="text",
        language="en",
        body=(
            "{{ company.brand }} (NMLS {{ company.nmls_id }}): mortgage loan messages. Call "
            "{{ company.phone }} for a person. Reply STOP to end. Msg & data rates may apply."
        ),
    ),
    Wording(
        key="help_answer",
        medium="text",
        language="es",
        body=(
            "{{ company.brand }} (NMLS {{ company.nmls_id }}): mensajes sobre hipotecas. Llame al "
            "{{ company.phone }} para hablar con una persona. Responda ALTO para terminar."
        ),
    ),
)
