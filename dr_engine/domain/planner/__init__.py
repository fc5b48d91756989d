"""Plans a fleet ahead (S306): who charges and who gives in each slot, so that requests are met and promises kept.

`plan` in `planner.policy` is the door. It arranges what is asked into arrays (`frame`), solves one linear program (`lp`,
`highs`, begun near its end by `warm`), many small ones (`chunks`), or one of clusters (`clusters`), and lets the real cars
follow the result inside their viable intervals (`follow`), so that what comes out keeps every promise whatever the solver
said. `bound` says how far from the optimum it can be at most.
"""
