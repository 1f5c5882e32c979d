"""A recorded ruleset, run: which rule decides about a packet, and what translates it.

``ruleset`` reads what ``iptables-save`` prints, ``packet`` says what rules look at, ``matches`` compares the two,
``evaluate`` goes through the hooks in the kernel's order.
"""
