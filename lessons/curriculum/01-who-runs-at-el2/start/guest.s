// A guest of a few instructions. It starts here, at guest physical address 0x40000000, with its MMU off.
        .global _start
_start:
        mov     x1, #0                  // <- read CurrentEL instead, and shift it

        // No memory is behind 0x09000000: the store makes the guest leave, and the VMM gets the value.
        movz    x0, #0x0900, lsl #16
        str     w1, [x0]
1:      wfi
        b       1b
