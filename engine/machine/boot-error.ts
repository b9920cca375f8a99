/**
 * What can be wrong with the things a user boots. Each message is one sentence or two: what is wrong, and what to do.
 * The command prints it as it is; the page shows it beside the control that it concerns.
 */
export abstract class BootError extends Error {}

export type ImageFault =
  | 'empty'
  | 'not-arm64'
  | 'compressed'
  | 'big-endian'
  | 'page-size'
  | 'truncated'
  | 'does-not-fit'
  | 'bad-header'

/** The kernel Image cannot be booted. */
export class ImageError extends BootError {
  override readonly name = 'ImageError'
  readonly fault: ImageFault

  constructor(fault: ImageFault, message: string) {
    super(message)
    this.fault = fault
  }
}

/** The initrd cannot be placed. */
export class InitrdError extends BootError {
  override readonly name = 'InitrdError'
}

/** The amount of RAM is out of range. */
export class RamSizeError extends BootError {
  override readonly name = 'RamSizeError'
}

/** The kernel command line cannot be passed on. */
export class CommandLineError extends BootError {
  override readonly name = 'CommandLineError'
}

/** The device tree that the user gave cannot be used. */
export class DeviceTreeError extends BootError {
  override readonly name = 'DeviceTreeError'
}
