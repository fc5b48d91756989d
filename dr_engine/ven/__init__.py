"""The engine as an OpenADR 3.1 VEN (X5): it polls a VTN, makes requests of its events, and reports what came of them.

settings   what an operator says of the VTN
client     tokens, pages, patience: the VTN's door
enrolment  our ven, resources and subscriptions at the VTN; its programs
intake     events → requests, statements → compensation
reporting  what events ask to be told
ven        the loop
metrics    all of it in numbers
status2b   how it goes with a VTN of 2.0b (`ven2b`)
"""
