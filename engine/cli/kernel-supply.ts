/**
 * Where kernels come from: Debian's archive, through apt with a configuration of its own, so that signatures are
 * checked and the machine's apt is left alone. The archive's address is read from the machine's own sources.
 *
 * Kept under `.cache/kernels/` (not in git): `index.json`, and per version a directory with `Image` and `config`.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Suites that may carry a new enough kernel, newest user space last; whichever has the version is used. */
const SUITES = ['trixie-backports', 'forky', 'sid']
const PACKAGE = /^linux-binary-(\d+\.\d+(?:\.\d+)?\S*-cloud-arm64)$/
/** The first series whose KVM has KVM_VM_TYPE_ARM_PROTECTED and whose formats the lab is tested with. */
export const OLDEST_VERSION = '7.2'

export interface KernelEntry {
  /** Kernel release, as `uname -r` prints it. */
  readonly version: string
  /** Size of the Image in bytes. */
  readonly bytes: number
  /** File name of the build configuration beside the Image, when the package had one. */
  readonly config?: string
  readonly source: string
}

/** Set-up could not do its work; the message says what to do. */
export class SupplyError extends Error {
  override name = 'SupplyError'
}

const BRING_YOUR_OWN =
  'Bring a kernel yourself: any uncompressed arm64 Image of 7.2 or later works, with ' +
  '`npx pkvm-lab run -kernel FILE` or dropped onto the page.'

export type Progress = (what: string, fraction: number) => void

interface CommandResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function command(program: string, args: readonly string[], cwd?: string, onStatus?: (line: string) => void): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe', onStatus ? 'pipe' : 'ignore'] })
    let stdout = ''
    let stderr = ''
    child.stdout?.on('data', (d: Buffer) => (stdout += d.toString()))
    child.stderr?.on('data', (d: Buffer) => (stderr += d.toString()))
    if (onStatus) child.stdio[3]?.on('data', (d: Buffer) => d.toString().split('\n').forEach(onStatus))
    child.on('error', reject)
    child.on('close', (status) => resolve({ status: status ?? 1, stdout, stderr }))
  })
}

/** Compare dotted versions numerically, part by part: negative when a is older. */
export function compareVersions(a: string, b: string): number {
  const parts = (v: string) => (v.match(/\d+/g) ?? []).map(Number)
  const pa = parts(a)
  const pb = parts(b)
  for (let i = 0; i < Math.max(pa.length, pb.length); i++) {
    const d = (pa[i] ?? 0) - (pb[i] ?? 0)
    if (d !== 0) return d
  }
  return 0
}

/** One private apt: its lists, cache and architecture live under `directory`. */
export class PrivateApt {
  private constructor(
    private readonly options: readonly string[],
    private readonly scratch: string,
  ) {}

  /** @throws SupplyError when the machine has no apt or no Debian source to take the archive's address from. */
  static async open(directory: string): Promise<PrivateApt> {
    const targets = await command('apt-get', ['indextargets', '--format', '$(REPO_URI) $(ORIGIN)']).catch(() => null)
    if (targets === null) throw new SupplyError(`This machine has no apt to fetch Debian's kernel with. ${BRING_YOUR_OWN}`)
    const archive = (await this.archiveFromSources()) ?? targets.stdout.match(/^(\S+\/debian\/?)\s/m)?.[1]
    if (archive === undefined) {
      throw new SupplyError(`apt's sources on this machine name no Debian archive to fetch the kernel from. ${BRING_YOUR_OWN}`)
    }
    const lists = join(directory, 'lists')
    await mkdir(join(lists, 'partial'), { recursive: true })
    await mkdir(join(directory, 'cache', 'archives', 'partial'), { recursive: true })
    const sources = join(directory, 'sources.list')
    const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
    const signed = existsSync(keyring) ? ` signed-by=${keyring}` : ''
    await writeFile(sources, SUITES.map((s) => `deb [arch=arm64${signed}] ${archive} ${s} main\n`).join(''))
    const options = [
      'APT::Architecture=arm64',
      'APT::Architectures=arm64',
      `Dir::Etc::SourceList=${sources}`,
      'Dir::Etc::SourceParts=/dev/null',
      `Dir::State::Lists=${lists}`,
      'Dir::State::status=/dev/null',
      `Dir::Cache=${join(directory, 'cache')}`,
      'Acquire::Languages=none',
      // Without a network the answer comes soon.
      'Acquire::http::Timeout=15',
      'Acquire::https::Timeout=15',
      // Downloads run as whoever runs set-up: the sandbox user cannot write into a home directory.
      'APT::Sandbox::User=root',
    ].flatMap((o) => ['-o', o])
    return new PrivateApt(options, directory)
  }

  /** The main archive's address in sources.list or a .sources file: the first that is not the security archive. */
  private static async archiveFromSources(): Promise<string | undefined> {
    const files = ['/etc/apt/sources.list']
    for (const f of await readdir('/etc/apt/sources.list.d').catch(() => [])) files.push(join('/etc/apt/sources.list.d', f))
    for (const file of files) {
      const text = await readFile(file, 'utf8').catch(() => '')
      for (const line of text.split('\n')) {
        const found = line.match(/^\s*(?:deb\s+(?:\[[^\]]*\]\s+)?|URIs:\s*)(\S+\/debian)\/?(?:\s|$)/)
        if (found) return found[1]
      }
    }
    return undefined
  }

  async update(progress: Progress): Promise<void> {
    const r = await command('apt-get', [...this.options, '-o', 'APT::Status-Fd=3', 'update'], undefined, statusLine('package lists', progress))
    // Some suites may be missing from a mirror; what matters is whether a kernel can be found afterwards.
    if (r.status !== 0 && !/Packages|InRelease/.test(r.stdout + r.stderr)) {
      throw new SupplyError(`apt could not read the archive: ${lastLine(r.stderr)} ${BRING_YOUR_OWN}`)
    }
  }

  async packageNames(pattern: string): Promise<string[]> {
    const r = await command('apt-cache', [...this.options, 'search', '--names-only', pattern])
    return r.stdout.split('\n').flatMap((l) => l.split(' - ')[0] || [])
  }

  /** Download one package and unpack it. @returns the directory it was unpacked to; the caller removes it. */
  async unpack(name: string, progress: Progress): Promise<string> {
    const dir = await mkdtemp(join(this.scratch, 'unpack-'))
    const got = await command('apt-get', [...this.options, '-o', 'APT::Status-Fd=3', 'download', name], dir, statusLine(name, progress))
    const deb = (await readdir(dir)).find((f) => f.endsWith('.deb'))
    if (got.status !== 0 || deb === undefined) {
      await rm(dir, { recursive: true, force: true })
      throw new SupplyError(`apt could not download ${name}: ${lastLine(got.stderr)} ${BRING_YOUR_OWN}`)
    }
    const r = await command('dpkg-deb', ['-x', deb, 'root'], dir)
    if (r.status !== 0) throw new SupplyError(`dpkg-deb could not unpack ${deb}: ${lastLine(r.stderr)}`)
    return dir
  }
}

function lastLine(text: string): string {
  return (text.trim().split('\n').pop() ?? '').replace(/^E: /, '')
}

/** apt's status lines: `dlstatus:1:42.5:text` and `pmstatus:...`. */
function statusLine(what: string, progress: Progress): (line: string) => void {
  return (line) => {
    const m = line.match(/^dlstatus:[^:]*:([\d.]+):/)
    if (m) progress(what, Math.min(1, Number(m[1]) / 100))
  }
}

export class KernelSupply {
  private readonly kernels: string
  private readonly aptDirectory: string

  /** @param cache directory of the lab's cache, made when missing. */
  constructor(private readonly cache: string) {
    this.kernels = join(cache, 'kernels')
    this.aptDirectory = join(cache, 'apt')
  }

  /** Kernels at hand, newest first. */
  async list(): Promise<KernelEntry[]> {
    const entries: KernelEntry[] = []
    for (const version of await readdir(this.kernels).catch(() => [])) {
      const image = await stat(join(this.kernels, version, 'Image')).catch(() => null)
      if (image === null) continue
      const config = existsSync(join(this.kernels, version, 'config')) ? { config: 'config' } : {}
      entries.push({ version, bytes: image.size, ...config, source: 'Debian' })
    }
    return entries.sort((a, b) => compareVersions(b.version, a.version))
  }

  imagePath(version: string): string {
    return join(this.kernels, version, 'Image')
  }

  /** Versions the archive offers, newest first. */
  async available(progress: Progress): Promise<string[]> {
    const apt = await PrivateApt.open(this.aptDirectory)
    await apt.update(progress)
    const names = await apt.packageNames('^linux-binary-[0-9].*-cloud-arm64$')
    return names
      .flatMap((n) => PACKAGE.exec(n)?.[1] ?? [])
      .filter((v) => compareVersions(v, OLDEST_VERSION) >= 0)
      .sort((a, b) => compareVersions(b, a))
  }

  /**
   * Fetch a kernel unless it is already here.
   * @param wanted a version or its beginning (`7.2`, `7.3.4`); the newest that begins so is taken, the newest of all without.
   * @throws SupplyError
   */
  async fetch(wanted: string | undefined, progress: Progress): Promise<KernelEntry> {
    const matches = (v: string) => wanted === undefined || v === wanted || v.startsWith(`${wanted}.`) || v.startsWith(`${wanted}+`)
    const versions = await this.available(progress)
    const version = versions.find(matches)
    if (version === undefined) {
      const have = versions.length > 0 ? `It has ${versions.join(', ')}.` : ''
      throw new SupplyError(`Debian's archive has no arm64 cloud kernel ${wanted ?? `of at least ${OLDEST_VERSION}`}. ${have} ${BRING_YOUR_OWN}`)
    }
    if (!existsSync(this.imagePath(version))) {
      const apt = await PrivateApt.open(this.aptDirectory)
      const dir = await apt.unpack(`linux-binary-${version}`, progress)
      try {
        const target = await mkdtemp(join(this.cache, 'incoming-'))
        await copyFile(join(dir, 'root/usr/lib/modules', version, 'vmlinuz'), join(target, 'Image'))
        for (const config of [`root/boot/config-${version}`, `root/usr/lib/modules/${version}/config`]) {
          if (existsSync(join(dir, config))) await copyFile(join(dir, config), join(target, 'config'))
        }
        if (!existsSync(join(target, 'config'))) await this.fetchConfig(apt, version, target, progress)
        await mkdir(this.kernels, { recursive: true })
        await rename(target, join(this.kernels, version))
      } finally {
        await rm(dir, { recursive: true, force: true })
      }
    }
    await this.writeIndex()
    const entry = (await this.list()).find((k) => k.version === version)
    if (entry === undefined) throw new SupplyError(`The package of ${version} held no kernel image. ${BRING_YOUR_OWN}`)
    return entry
  }

  /** The build configuration is in whichever sibling package carries /boot/config-*. Not having it is no failure. */
  private async fetchConfig(apt: PrivateApt, version: string, target: string, progress: Progress): Promise<void> {
    for (const name of [`linux-base-${version}`, `linux-modules-${version}`, `linux-image-${version}`]) {
      if (!(await apt.packageNames(`^${name.replace(/[.+]/g, '\\$&')}$`)).includes(name)) continue
      const dir = await apt.unpack(name, progress).catch(() => null)
      if (dir === null) continue
      const found = [`root/boot/config-${version}`, `root/usr/lib/modules/${version}/config`].find((c) => existsSync(join(dir, c)))
      if (found !== undefined) await copyFile(join(dir, found), join(target, 'config'))
      await rm(dir, { recursive: true, force: true })
      if (found !== undefined) return
    }
  }

  /** A static arm64 busybox for `lab.init=shell`. @returns its path. @throws SupplyError */
  async fetchBusybox(progress: Progress): Promise<string> {
    const path = join(this.cache, 'busybox')
    if (existsSync(path)) return path
    const apt = await PrivateApt.open(this.aptDirectory)
    await apt.update(progress)
    const dir = await apt.unpack('busybox-static', progress)
    try {
      const found = ['root/bin/busybox', 'root/usr/bin/busybox'].find((p) => existsSync(join(dir, p)))
      if (found === undefined) throw new SupplyError('The busybox-static package held no busybox.')
      await copyFile(join(dir, found), path)
    } finally {
      await rm(dir, { recursive: true, force: true })
    }
    return path
  }

  private async writeIndex(): Promise<void> {
    await writeFile(join(this.kernels, 'index.json'), `${JSON.stringify(await this.list(), null, 2)}\n`)
  }
}

/** The cache beside the project's package.json, or PKVM_LAB_CACHE. */
export function defaultCache(projectRoot: string): string {
  return process.env['PKVM_LAB_CACHE'] ?? join(projectRoot, '.cache')
}

