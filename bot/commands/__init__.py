"""The grammar of what people type: a text comes in, and what it asks for goes out."""
