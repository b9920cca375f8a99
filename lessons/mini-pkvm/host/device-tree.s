// What the flattened device tree says: command line, initrd, RAM, UARTs, interrupt controller. One walk over the
// structure block, which is a list of big-endian words (Devicetree Specification, chapter 5).

        .equ    FDT_BEGIN_NODE, 1
        .equ    FDT_PROP, 3
        .equ    FDT_NOP, 4
        .equ    FDT_END, 9
        .equ    FDT_OFF_STRUCT, 8
        .equ    FDT_OFF_STRINGS, 12

// What is known of a PL011.
        struct  uart
        member  uart.base                       // VA, 0: there is none
        member  uart.intid
        member  uart.node                       // its node's name
        endstruct uart

        .bss
        .balign 8
boot_arguments: .skip 8                         // VA of /chosen/bootargs
initrd_start:   .skip 8                         // physical addresses
initrd_end:     .skip 8
ram_start:      .skip 8
ram_bytes:      .skip 8
gic_distributor: .skip 8                        // VAs
gic_redistributor: .skip 8
stdout_path:    .skip 8
psci_by_hvc:    .skip 8                         // 1: the firmware is called by HVC and not by SMC
uarts:                                          // the console, and the one for /dev/ttyAMA1
console_uart:   .skip uart.sizeof
second_uart:    .skip uart.sizeof
fdt_physical:   .skip 8
        .text

// How a property is dealt with: its name, and the function that takes its value.
        .macro  property name, handler
        .section .rodata
prop\@: .asciz  "\name"
        .text
        .word   prop\@ - fdt_properties, \handler - fdt_properties
        .endm

// scan_device_tree: x0 = the tree (VA).
// x19 = next word, x20 = strings, x21 = name of the current node, x22 = value, x23 = its length
scan_device_tree:
        enter
        pa_of   x1, x0
        adr     x2, fdt_physical
        str     x1, [x2]
        adr     x1, no_arguments
        adr     x2, boot_arguments
        str     x1, [x2]
        ldr     w1, [x0, #FDT_OFF_STRUCT]
        rev     w1, w1
        add     x19, x0, x1
        ldr     w1, [x0, #FDT_OFF_STRINGS]
        rev     w1, w1
        add     x20, x0, x1
        adr     x21, no_arguments
1:      ldr     w1, [x19], #4
        rev     w1, w1
        cmp     w1, #FDT_PROP
        b.eq    3f
        cmp     w1, #FDT_BEGIN_NODE
        b.eq    2f
        cmp     w1, #FDT_END
        b.ne    1b                              // end of a node, or nothing
        bl      choose_console
        leave
2:      mov     x21, x19
        mov     x0, x19
        bl      strlen
        add     x19, x19, x0
        add     x19, x19, #4                    // the NUL and up to three more
        and     x19, x19, #~3
        b       1b
3:      ldp     w23, w24, [x19], #8
        rev     w23, w23
        rev     w24, w24
        mov     x22, x19
        add     x19, x19, x23
        add     x19, x19, #3
        and     x19, x19, #~3
        add     x24, x20, x24                   // the property's name
        bl      dispatch_property
        b       1b

// Call the handler of the property named x24, if there is one: x21-x23 as above.
dispatch_property:
        stp     x29, x30, [sp, #-32]!
        mov     x29, sp
        str     x25, [sp, #16]
        adr     x25, fdt_properties
1:      ldrsw   x1, [x25]
        cbz     w1, 2f
        adr     x0, fdt_properties
        add     x0, x0, x1
        mov     x1, x24
        bl      strcmp
        cbz     x0, 3f
        add     x25, x25, #8
        b       1b
3:      ldrsw   x1, [x25, #4]
        adr     x0, fdt_properties
        add     x1, x1, x0
        blr     x1
2:      ldr     x25, [sp, #16]
        ldp     x29, x30, [sp], #32
        ret

        .balign 8
fdt_properties:
        property "bootargs", found_bootargs
        property "linux,initrd-start", found_initrd_start
        property "linux,initrd-end", found_initrd_end
        property "stdout-path", found_stdout_path
        property "reg", found_reg
        property "interrupts", found_interrupts
        property "method", found_method
        .word   0

found_bootargs:
        adr     x1, boot_arguments
        str     x22, [x1]
        ret
found_stdout_path:
        adr     x1, stdout_path
        str     x22, [x1]
        ret
found_initrd_start:
        adr     x1, initrd_start
        b       1f
found_initrd_end:
        adr     x1, initrd_end
1:      ldr     w0, [x22]                       // one cell or two
        rev     w0, w0
        cmp     x23, #8
        b.ne    2f
        ldr     w2, [x22, #4]
        rev     w2, w2
        orr     x0, x2, x0, lsl #32
2:      str     x0, [x1]
        ret

// reg of a node: which node decides. Two cells of address, two of size.
found_reg:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        cmp     x23, #16
        b.lo    9f
        adr     x1, memory_node
        bl      node_is
        cbz     x0, 1f
        ldp     w0, w1, [x22]
        bl      cells64
        adr     x2, ram_start
        str     x0, [x2]
        ldp     w0, w1, [x22, #8]
        bl      cells64
        adr     x2, ram_bytes
        str     x0, [x2]
        b       9f
1:      adr     x1, gic_node
        bl      node_is
        cbz     x0, 2f
        cmp     x23, #32
        b.lo    9f                              // no redistributor: a GICv2
        ldp     w0, w1, [x22]
        bl      cells64
        va_of   x0, x0
        adr     x2, gic_distributor
        str     x0, [x2]
        ldp     w0, w1, [x22, #16]
        bl      cells64
        va_of   x0, x0
        adr     x2, gic_redistributor
        str     x0, [x2]
        b       9f
2:      bl      uart_here
        cbz     x0, 9f
        mov     x3, x0
        ldp     w0, w1, [x22]
        bl      cells64
        va_of   x0, x0
        str     x0, [x3, #uart.base]
9:      ldp     x29, x30, [sp], #16
        ret

// interrupts of a UART: type (0: SPI), number, flags.
found_interrupts:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        bl      uart_here
        cbz     x0, 9f
        ldr     w1, [x22, #4]
        rev     w1, w1
        add     w1, w1, #32                     // SPI n is INTID 32 + n
        str     x1, [x0, #uart.intid]
9:      ldp     x29, x30, [sp], #16
        ret

// method of PSCI: "smc", or "hvc" on a machine whose EL2 is not for its kernel.
found_method:
        ldrb    w1, [x22]
        cmp     w1, #'h'
        cset    x1, eq
        adr     x2, psci_by_hvc
        str     x1, [x2]
        ret

// cells64: w0, w1 = two big-endian cells; x0 = their value.
cells64:
        rev     w0, w0
        rev     w1, w1
        orr     x0, x1, x0, lsl #32
        ret

// uart_here: x0 = the uart that the current node describes, or 0 when it is none (or a third).
uart_here:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        adr     x1, pl011_node
        bl      node_is
        cbz     x0, 9f
        adr     x0, uarts
        ldr     x1, [x0, #uart.node]
        cmp     x1, x21
        b.eq    9f
        cbz     x1, 1f
        add     x0, x0, #uart.sizeof
        ldr     x1, [x0, #uart.node]
        cmp     x1, x21
        b.eq    9f
        cbz     x1, 1f
        mov     x0, #0
        b       9f
1:      str     x21, [x0, #uart.node]
9:      ldp     x29, x30, [sp], #16
        ret

// node_is: x1 = a name up to and with the @; x0 = 1 when the current node's name begins with it.
node_is:
        mov     x2, x21
1:      ldrb    w3, [x1], #1
        cbz     w3, 2f
        ldrb    w4, [x2], #1
        cmp     w3, w4
        b.eq    1b
        mov     x0, #0
        ret
2:      mov     x0, #1
        ret

// choose_console: of two UARTs the one that /chosen/stdout-path names is the console.
choose_console:
        stp     x29, x30, [sp, #-16]!
        mov     x29, sp
        ldr     x0, stdout_path
        cbz     x0, 9f
        adr     x2, second_uart
        ldr     x1, [x2, #uart.node]
        cbz     x1, 9f
        add     x0, x0, #1                      // past the /
        bl      strcmp
        cbnz    x0, 9f
        adr     x2, uarts
        ldp     x3, x4, [x2]
        ldp     x5, x6, [x2, #uart.sizeof]
        stp     x5, x6, [x2]
        stp     x3, x4, [x2, #uart.sizeof]
9:      ldp     x29, x30, [sp], #16
        ret

        .section .rodata
memory_node:    .asciz "memory@"
gic_node:       .asciz "intc@"
pl011_node:     .asciz "pl011@"
no_arguments:   .asciz ""
        .text
