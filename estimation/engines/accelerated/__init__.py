"""The same density through JAX, sampled by NumPyro: on an accelerator where JAX sees one."""
