import { answer, attempt, host, kvm, print } from 'lab'

print('asked for:', await host.commandLine())

// 1. Is there a KVM? Where there is none, opening fails, and that is a finding like any other.
const dev = await attempt(kvm.open())
answer('device', dev.ok ? 'there' : dev.error.code)
print('/dev/kvm:', dev.ok ? 'there' : dev.error.code)

// 2. Does it make protected VMs?
if (!dev.ok) throw dev.error
const vm = await attempt(dev.value.createVm({ protected: true }))
answer('vm', vm.ok ? 'made' : vm.error.code)
print('protected VM:', vm.ok ? 'made' : vm.error.code)

// 3. How much memory has the kernel, and is it tainted?
const { MemTotal } = await host.memory()
const taint = await host.taint()
answer('memory', MemTotal ?? 0)
answer('taint', taint.value)
print('memory:', MemTotal, 'bytes; taint:', taint.value, taint.names)
