// A guest with a secret on the second page of its RAM. It looks at it again after each ring.
        .equ    SECRET,   0x40001000
        .equ    DOORBELL, 0x09000000            // no memory there: a store makes KVM_RUN return

        .global _start
_start:
        ldr     x12, =DOORBELL
        ldr     x10, =SECRET
        ldr     x11, =0x5ec2e7
        str     x11, [x10]

1:      ldr     x11, [x10]                      // what is my secret now?
        str     x11, [x12]                      // ring with it
        b       1b
