import { type FdtNode, type FdtValue, cells64, fdtNode, writeFdt } from './fdt.ts'
import { Intid, MemoryMap } from './memory-map.ts'

export interface DeviceTreeOptions {
  readonly ramBytes: number
  /** The kernel command line. */
  readonly bootargs: string
  /** Physical addresses [start, end) of the initial RAM disk. */
  readonly initrd?: { readonly start: number; readonly end: number } | undefined
  /** Entropy for the kernel, 32 bytes or so. Without it the kernel starts with what it finds. */
  readonly rngSeed?: Uint8Array | undefined
  /** 8 bytes for KASLR. Without them the kernel does not randomise its address. */
  readonly kaslrSeed?: Uint8Array | undefined
  /** `compatible` of the CPU node. */
  readonly cpuCompatible?: string
}

/** Cells of an interrupt specifier of arm,gic-v3: type (0 SPI, 1 PPI), number within the type, 4 = level, high. */
function interrupt(intid: number): [number, number, number] {
  return intid < 32 ? [1, intid - 16, 4] : [0, intid - 32, 4]
}

function reg(...windows: readonly { base: number; size: number }[]): number[] {
  return windows.flatMap((w) => [...cells64(w.base), ...cells64(w.size)])
}

const PHANDLE_GIC = 1
const PHANDLE_CLOCK = 2
const PHANDLE_CPU = 3

/**
 * The device tree that describes the board to the kernel, with nodes as QEMU's `virt` has them. Only what exists is
 * listed: no ITS, PMU, flash, PCIe or virtio slots; and two UARTs.
 */
export function buildDeviceTree(options: DeviceTreeOptions): FdtNode {
  const chosen: Record<string, FdtValue> = {
    'stdout-path': uartPath(MemoryMap.uart0.base),
    bootargs: options.bootargs,
  }
  if (options.initrd !== undefined) {
    chosen['linux,initrd-start'] = cells64(options.initrd.start)
    chosen['linux,initrd-end'] = cells64(options.initrd.end)
  }
  if (options.rngSeed !== undefined) chosen['rng-seed'] = options.rngSeed
  if (options.kaslrSeed !== undefined) chosen['kaslr-seed'] = options.kaslrSeed

  return fdtNode(
    '',
    {
      'interrupt-parent': [PHANDLE_GIC],
      model: 'linux,dummy-virt',
      compatible: 'linux,dummy-virt',
      '#address-cells': [2],
      '#size-cells': [2],
    },
    [
      fdtNode('chosen', chosen),
      fdtNode('aliases', {
        serial0: uartPath(MemoryMap.uart0.base),
        serial1: uartPath(MemoryMap.uart1.base),
      }),
      fdtNode('psci', {
        compatible: ['arm,psci-1.0', 'arm,psci-0.2'],
        // HVC would reach the hypervisor, which is the kernel's own.
        method: 'smc',
      }),
      fdtNode(`memory@${MemoryMap.ramBase.toString(16)}`, {
        device_type: 'memory',
        reg: reg({ base: MemoryMap.ramBase, size: options.ramBytes }),
      }),
      fdtNode('cpus', { '#address-cells': [1], '#size-cells': [0] }, [
        fdtNode('cpu-map', {}, [
          fdtNode('socket0', {}, [fdtNode('cluster0', {}, [fdtNode('core0', { cpu: [PHANDLE_CPU] })])]),
        ]),
        fdtNode('cpu@0', {
          device_type: 'cpu',
          compatible: options.cpuCompatible ?? 'arm,armv8',
          reg: [0],
          phandle: [PHANDLE_CPU],
        }),
      ]),
      fdtNode('timer', {
        compatible: ['arm,armv8-timer', 'arm,armv7-timer'],
        interrupts: [
          ...interrupt(Intid.securePhysicalTimer),
          ...interrupt(Intid.physicalTimer),
          ...interrupt(Intid.virtualTimer),
          ...interrupt(Intid.hypTimer),
        ],
        'always-on': true,
      }),
      fdtNode('apb-pclk', {
        compatible: 'fixed-clock',
        '#clock-cells': [0],
        'clock-frequency': [24_000_000],
        'clock-output-names': 'clk24mhz',
        phandle: [PHANDLE_CLOCK],
      }),
      fdtNode(`intc@${MemoryMap.gicDistributor.base.toString(16)}`, {
        compatible: 'arm,gic-v3',
        '#interrupt-cells': [3],
        'interrupt-controller': true,
        '#address-cells': [2],
        '#size-cells': [2],
        ranges: true,
        '#redistributor-regions': [1],
        reg: reg(MemoryMap.gicDistributor, MemoryMap.gicRedistributor),
        interrupts: interrupt(Intid.maintenance),
        phandle: [PHANDLE_GIC],
      }),
      uart(MemoryMap.uart0, Intid.uart0),
      uart(MemoryMap.uart1, Intid.uart1),
      fdtNode(`pl031@${MemoryMap.rtc.base.toString(16)}`, {
        compatible: ['arm,pl031', 'arm,primecell'],
        reg: reg(MemoryMap.rtc),
        interrupts: interrupt(Intid.rtc),
        clocks: [PHANDLE_CLOCK],
        'clock-names': 'apb_pclk',
      }),
    ],
  )
}

function uartPath(base: number): string {
  return `/pl011@${base.toString(16)}`
}

function uart(window: { base: number; size: number }, intid: number): FdtNode {
  return fdtNode(`pl011@${window.base.toString(16)}`, {
    compatible: ['arm,pl011', 'arm,primecell'],
    reg: reg(window),
    interrupts: interrupt(intid),
    clocks: [PHANDLE_CLOCK, PHANDLE_CLOCK],
    'clock-names': ['uartclk', 'apb_pclk'],
  })
}

/** The same as a blob for the kernel. */
export function deviceTreeBlob(options: DeviceTreeOptions): Uint8Array {
  return writeFdt(buildDeviceTree(options))
}
