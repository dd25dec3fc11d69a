"""Texts from no source of any built-in corpus, for the demo."""

STRANGERS = (
    "Fold the egg whites into the batter with a wide spoon, pour it into a buttered dish and bake it until "
    "the top is golden and the middle still trembles a little when you shake it.",
    "The ferry left the harbour an hour late, and by the time the lighthouse had sunk behind us the children "
    "were asleep on their coats and the gulls had given up following.",
    "The home side went ahead in the ninth minute, lost their captain to a knee injury before the break, and "
    "held on through six minutes of stoppage time in driving rain.",
)
