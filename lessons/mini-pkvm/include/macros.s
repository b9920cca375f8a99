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
