"""Which files and folders a job of custom code reads, against what its plan lists."""
