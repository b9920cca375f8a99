import { needName, needNumber, needOptions } from './arguments.ts'
import { readText } from './files.ts'
import type { Host, HostProcess, Resource, Rlimit, Taint } from './lab.d.ts'
import type { VmmProcess } from './process.ts'
import { showValue, type Span } from './trace.ts'

/** TAINT_* by bit: include/linux/panic.h. */
const TAINTS = [
  'TAINT_PROPRIETARY_MODULE', 'TAINT_FORCED_MODULE', 'TAINT_CPU_OUT_OF_SPEC', 'TAINT_FORCED_RMMOD', 'TAINT_MACHINE_CHECK',
  'TAINT_BAD_PAGE', 'TAINT_USER', 'TAINT_DIE', 'TAINT_OVERRIDDEN_ACPI_TABLE', 'TAINT_WARN', 'TAINT_CRAP',
  'TAINT_FIRMWARE_WORKAROUND', 'TAINT_OOT_MODULE', 'TAINT_UNSIGNED_MODULE', 'TAINT_SOFTLOCKUP', 'TAINT_LIVEPATCH',
  'TAINT_AUX', 'TAINT_RANDSTRUCT', 'TAINT_TEST', 'TAINT_FWCTL',
]

/** RLIMIT_*: include/uapi/asm-generic/resource.h. */
const RESOURCE: Readonly<Record<Resource, number>> = { cpu: 0, fsize: 1, data: 2, stack: 3, core: 4, rss: 5, nproc: 6, nofile: 7, memlock: 8, as: 9 }
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn
const SYSLOG_ACTION_READ_ALL = 3
/** Larger than the message buffer's end that anybody reads; the scratch memory sets the bound. */
const MOST_MESSAGE_BYTES = 256 * 1024

export class HostKernel implements Host {
  constructor(
    private readonly process: VmmProcess,
    readonly pageSize: number,
    readonly pid: number,
    private readonly newProcess: (span: Span) => Promise<HostProcess>,
  ) {}

  taint(): Promise<Taint> {
    return this.traced('taint', [], async span => taintOf(Number(await readText(this.process, span, '/proc/sys/kernel/tainted'))))
  }

  commandLine(): Promise<string> {
    return this.traced('commandLine', [], async span => (await readText(this.process, span, '/proc/cmdline')).trimEnd())
  }

  kernelRelease(): Promise<string> {
    return this.traced('kernelRelease', [], async span => (await readText(this.process, span, '/proc/sys/kernel/osrelease')).trimEnd())
  }

  messages(): Promise<string[]> {
    return this.traced('messages', [], async span => {
      const { scratchBytes } = await this.process.hello()
      const text = new Uint8Array(Math.min(MOST_MESSAGE_BYTES, scratchBytes))
      const bytes = await this.process.call(span, 'syslog', [SYSLOG_ACTION_READ_ALL, text, text.length])
      return messageLines(new TextDecoder().decode(text.subarray(0, Number(bytes))))
    })
  }

  getRlimit(resource: Resource): Promise<Rlimit> {
    return this.traced('getRlimit', [resource], async span => {
      const number = RESOURCE[needName('host.getRlimit', 'resource', resource, RESOURCE)]
      return this.rlimit(span, number)
    })
  }

  setRlimit(resource: Resource, limit: Partial<Rlimit>): Promise<void> {
    return this.traced('setRlimit', [resource, limit], async span => {
      const number = RESOURCE[needName('host.setRlimit', 'resource', resource, RESOURCE)]
      needOptions('host.setRlimit', 'limit', limit, ['current', 'maximum'])
      for (const name of ['current', 'maximum'] as const) if (limit[name] !== undefined) needNumber('host.setRlimit', name, limit[name])
      const wanted = { ...(await this.rlimit(span, number)), ...limit }
      const bytes = new Uint8Array(16)
      const view = new DataView(bytes.buffer)
      view.setBigUint64(0, encodeLimit(wanted.current), true)
      view.setBigUint64(8, encodeLimit(wanted.maximum), true)
      await this.process.call(span, 'prlimit64', [0, number, bytes, 0])
    })
  }

  memory(): Promise<Record<string, number>> {
    return this.traced('memory', [], async span => meminfo(await readText(this.process, span, '/proc/meminfo')))
  }

  sleep(milliseconds: number): Promise<void> {
    return this.traced('sleep', [milliseconds], async span => {
      needNumber('host.sleep', 'milliseconds', milliseconds, { most: 60_000 })
      const moment = new Uint8Array(16)
      const view = new DataView(moment.buffer)
      view.setBigInt64(0, BigInt(Math.floor(milliseconds / 1000)), true)
      view.setBigInt64(8, BigInt(Math.round((milliseconds % 1000) * 1e6)), true)
      await this.process.call(span, 'nanosleep', [moment, 0], { limitMicroseconds: Math.round(milliseconds * 1000) + 1_000_000 })
    })
  }

  fork(): Promise<HostProcess> {
    return this.traced('fork', [], this.newProcess)
  }

  private async rlimit(span: Span, number: number): Promise<Rlimit> {
    const bytes = new Uint8Array(16)
    await this.process.call(span, 'prlimit64', [0, number, 0, bytes])
    const view = new DataView(bytes.buffer)
    return { current: decodeLimit(view.getBigUint64(0, true)), maximum: decodeLimit(view.getBigUint64(8, true)) }
  }

  private traced<T>(name: string, args: readonly unknown[], body: (span: Span) => Promise<T>): Promise<T> {
    return this.process.tracer.span(null, `host.${name}(${args.map(showValue).join(', ')})`, async span => body(span))
  }
}

/** @param value `/proc/sys/kernel/tainted` */
export function taintOf(value: number): Taint {
  return { value, names: TAINTS.filter((_, bit) => Math.floor(value / 2 ** bit) % 2 === 1) }
}

/** Lines of the kernel's log buffer without `<level>` and `[   time]`. */
export function messageLines(text: string): string[] {
  return text
    .split('\n')
    .filter(line => line !== '')
    .map(line => line.replace(/^<\d+>/, '').replace(/^\[\s*\d+\.\d+\]\s?/, ''))
}

/** `/proc/meminfo` in bytes; lines without a unit are counts. */
export function meminfo(text: string): Record<string, number> {
  const all: Record<string, number> = {}
  for (const [, name, value, unit] of text.matchAll(/^([^:\n]+):\s+(\d+)( kB)?$/gm)) {
    all[name as string] = Number(value) * (unit === undefined ? 1 : 1024)
  }
  return all
}

function encodeLimit(value: number): bigint {
  return value === Number.POSITIVE_INFINITY ? RLIM_INFINITY : BigInt(Math.floor(value))
}

function decodeLimit(value: bigint): number {
  return value === RLIM_INFINITY ? Number.POSITIVE_INFINITY : Number(value)
}
