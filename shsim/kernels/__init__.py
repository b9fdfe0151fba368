"""Arrays in, arrays out: the compiled inner loops, and nothing that knows of us.

A public function prepares arrays; a compiled one computes. Kernels raise nothing,
check nothing and return counts; the layers above judge them.
"""
