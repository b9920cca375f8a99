// A guest that only rings, and waits. Its first instruction is its whole life.
        .equ    DOORBELL, 0x09000000            // no memory there: a store makes KVM_RUN return

        .global _start
_start:
        ldr     x12, =DOORBELL
        str     wzr, [x12]
1:      wfi
        b       1b
