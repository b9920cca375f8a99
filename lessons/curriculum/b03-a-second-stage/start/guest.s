// A guest that tells the VMM that it runs: no memory is behind 0x09000000.
        .global _start
_start: mov     x0, #0x09000000
        str     w0, [x0]
1:      wfi
        b       1b
