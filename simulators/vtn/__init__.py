"""A small OpenADR 3.1 VTN: what an upper aggregator runs, to try a VEN against. Objects are held in memory, or in a file.

access     who may do what: clients, tokens, scopes
objects    the objects, and who may see which
webhooks   subscribers are told
api        the HTTP door
server     all of it, running
"""
