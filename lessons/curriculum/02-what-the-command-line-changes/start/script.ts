import { answer, attempt, host, kvm, print } from 'lab'

print('asked for:', await host.commandLine())

// 1. Is there a KVM? Where there is none, this throws, and nothing below it is done. <- use attempt() here too
const dev = await kvm.open()
answer('device', 'there')

// 2. Does it make protected VMs?
const vm = await attempt(dev.createVm({ protected: true }))
answer('vm', vm.ok ? 'made' : vm.error.code)
print('protected VM:', vm.ok ? 'made' : vm.error.code)

// 3. How much memory has the kernel, and is it tainted?
const { MemTotal } = await host.memory()
const taint = await host.taint()
answer('memory', MemTotal ?? 0)
answer('taint', taint.value)
print('memory:', MemTotal, 'bytes; taint:', taint.value, taint.names)
