"""Everything that leaves this machine: which address may be dialled, pages, bulk files, the proxy for children."""
