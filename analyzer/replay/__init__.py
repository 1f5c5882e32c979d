"""A recorded host, built again in network namespaces, and the kernel's own verdict on its packets.

``plan`` says what is built, ``box`` builds it in namespaces that nothing leaves, ``inside`` sends and follows there,
``verdict`` reads what the kernel told, ``compare`` puts it beside what hoptrace says.
"""
