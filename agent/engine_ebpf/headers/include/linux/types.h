/* The few types that BCC's own prelude needs; Freezeframe's probe needs no kernel headers on the machine. */
#ifndef FREEZEFRAME_TYPES_H
#define FREEZEFRAME_TYPES_H
typedef unsigned char u8, __u8;
typedef signed char s8, __s8;
typedef unsigned short u16, __u16, __be16, __le16, __sum16;
typedef short s16, __s16;
typedef unsigned int u32, __u32, __be32, __le32, __wsum;
typedef int s32, __s32;
typedef unsigned long long u64, __u64, __be64, __le64;
typedef long long s64, __s64;
typedef u64 __aligned_u64 __attribute__((aligned(8)));
typedef unsigned long size_t, uintptr_t;
typedef _Bool bool;
#define NULL ((void *)0)
#endif
