"""Several processes behind one listening socket: the parent that looks after them, and what each of them is told."""
