import { answer, attempt, guest, kvm, mem, print } from 'lab'

const dev = await kvm.open()
const vm = await dev.createVm({ protected: true })
const program = guest('guest.s')
const ram = await vm.addMemory({ guestAddress: program.address, bytes: 4 * 4096 })
await ram.load(program)
const vcpu = await vm.createVcpu()
await vcpu.set('pc', program.entry)

const FIRST_PAGE = program.symbol('FIRST_PAGE')
const SECOND_PAGE = program.symbol('SECOND_PAGE')
const word = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true)

const ring = await vcpu.run()
answer('ring', ring.reason)

// The process cannot read the guest's page.
const peek = await attempt(ram.read64(FIRST_PAGE))
print('while the guest lives:', peek.ok ? peek.value : peek.error.code)

// 1. By force: have the kernel read SECOND_PAGE, through /proc/self/mem.
// <- read 8 bytes with mem.readByProcMem, and record word(...) of them under 'forced'

// 2. By waiting: what is on FIRST_PAGE once the VM is gone?
// <- close the VM, read FIRST_PAGE, and record the word under 'left'
