"""The study's figures, drawn from plain rows and arrays (needs the extra ``figures``)."""
