; Swift metadata as swiftc lays it out, written by hand after include/swift/ABI/Metadata.h: a module Checkout with a
; class, a structure inside it, and a protocol. A context descriptor is flags, parent, name; all pointers are relative.
	.section __TEXT,__const
	.p2align 2
L_module_name:
	.asciz "Checkout"
L_class_name:
	.asciz "Cashier"
L_struct_name:
	.asciz "Receipt"
L_protocol_name:
	.asciz "Payable"
	.p2align 2
_sample_module:
	.long 0x40
	.long 0
	.long L_module_name - .
	.globl _$s8Checkout7CashierCMn
	.p2align 2
_$s8Checkout7CashierCMn:
	.long 0x80000050
	.long _sample_module - .
	.long L_class_name - .
	.long 0
	.long 0
	.globl _$s8Checkout7CashierC7ReceiptVMn
	.p2align 2
_$s8Checkout7CashierC7ReceiptVMn:
	.long 0x51
	.long _$s8Checkout7CashierCMn - .
	.long L_struct_name - .
	.long 0
	.long 0
	.globl _$s8Checkout7PayableMp
	.p2align 2
_$s8Checkout7PayableMp:
	.long 0x43
	.long _sample_module - .
	.long L_protocol_name - .
	.long 0
	.long 0
	.long 0

	.section __TEXT,__swift5_types,regular,no_dead_strip
	.p2align 2
	.long _$s8Checkout7CashierCMn - .
	.long _$s8Checkout7CashierC7ReceiptVMn - .

	.section __TEXT,__swift5_protos,regular,no_dead_strip
	.p2align 2
	.long _$s8Checkout7PayableMp - .
