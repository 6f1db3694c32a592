"""Makes the embedded demo models: their data, their tokenizers, their weights. Not shipped."""
