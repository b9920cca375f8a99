// Macros that every file of mini-pKVM uses: how layouts and enumerations are declared, and how functions keep registers.
//
// A member is the constant `type.member`, its value the byte offset; a type's size is `type.sizeof`. Members have 8 bytes
// unless declared with another size, and then `type.member.bytes` says so. The lab reads these names to show memory as
// structures, so they are the names that Linux uses.

        .macro  struct type, first=0
        .set    struct_offset, \first
        .endm

        .macro  member name, bytes=8
        .equ    \name, struct_offset
        .if     \bytes != 8
        .equ    \name\().bytes, \bytes
        .endif
        .set    struct_offset, struct_offset + \bytes
        .endm

        .macro  endstruct type
        .equ    \type\().sizeof, struct_offset
        .endm

// A field of some bits in a structure of one 64-bit word.
        .macro  bits name, shift, width
        .equ    \name\().shift, \shift
        .equ    \name\().width, \width
        .endm

// A member of an enumeration, under its full name `type.NAME` and under its own.
        .macro  enumerator type, name, value
        .equ    \type\().\name, \value
        .equ    \name, \value
        .endm

// A function's frame: frame record (x29, x30) first, then the pairs named, 16 bytes each. `leave` undoes it and returns.
        .macro  enter pairs=0
        stp     x29, x30, [sp, #-16 * (\pairs + 1)]!
        mov     x29, sp
        .if     \pairs > 0
        stp     x19, x20, [sp, #16]
        .endif
        .if     \pairs > 1
        stp     x21, x22, [sp, #32]
        .endif
        .if     \pairs > 2
        stp     x23, x24, [sp, #48]
        .endif
        .if     \pairs > 3
        stp     x25, x26, [sp, #64]
        .endif
        .endm

        .macro  leave pairs=0
        .if     \pairs > 3
        ldp     x25, x26, [sp, #64]
        .endif
        .if     \pairs > 2
        ldp     x23, x24, [sp, #48]
        .endif
        .if     \pairs > 1
        ldp     x21, x22, [sp, #32]
        .endif
        .if     \pairs > 0
        ldp     x19, x20, [sp, #16]
        .endif
        ldp     x29, x30, [sp], #16 * (\pairs + 1)
        ret
        .endm
