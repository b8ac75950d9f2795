"""A private network without root: namespaces, cables between them, and their settings. Linux only.

A process of one thread ``enter``s a user namespace, in which it may make networks. Then a thread
leaves for a network namespace of its own, and every socket that it makes belongs there.
What a network namespace has, its cables and settings, is gone with the last socket in it.

Calls of the kernel that Python lacks are made through ctypes (os.unshare came with 3.12).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator

from .. import Unavailable

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SETTINGS = "/proc/sys/net/ipv4"
NIC = "eth0"  # what an end calls its side of the cable
MASK = "255.255.255.0"

# rtnetlink(7), veth(4)
RTM_NEWLINK, CREATE, ACK = 16, 0x600, 0x5  # CREATE: NLM_F_CREATE | NLM_F_EXCL
IFLA_ADDRESS, IFLA_IFNAME, IFLA_LINKINFO, IFLA_NET_NS_FD = 1, 3, 18, 28
INFO_KIND, INFO_DATA, VETH_INFO_PEER = 1, 2, 1
HEADER = struct.Struct("IHHII")  # struct nlmsghdr: length, type, flags, number, port
# netdevice(7)
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCETHTOOL = 0x8914, 0x8916, 0x891C, 0x8946
UP, NO_ARP = 0x41, 0x80  # UP: IFF_UP | IFF_RUNNING
ETHTOOL_STXCSUM = 0x17
IPV4 = 0x0800  # ETH_P_IP

entered = False  # whether this process has a user namespace of its own


@contextlib.contextmanager
def needed(what: str) -> Iterator[None]:
    """A block in which the system may refuse what is needed: Unavailable says what and why."""
    try:
        yield
    except OSError as problem:
        why = problem.strerror or str(problem)
        raise Unavailable(f"this system refuses {what} ({why})") from None


def enter() -> None:
    """Give this process, of one thread, a user namespace; Unavailable if it may not have one."""
    global entered
    user, group = os.getuid(), os.getgid()
    with needed("an ordinary user a user namespace"):
        _unshare(CLONE_NEWUSER)
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    entered = True


def leave_for_own_network() -> int:
    """Move this thread into a new network namespace; returns a file descriptor of that."""
    with needed("a network namespace"):
        _unshare(CLONE_NEWNET)
        return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def _unshare(what: int) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(what):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def lay_cable(name: str, namespace: int, mac: bytes) -> socket.socket:
    """A cable from here into another namespace, where it is NIC and has the address ``mac``.

    Returns a socket that reads and writes whole IPv4 packets at this side of it.
    """
    with needed("a veth cable"):
        _make_veth(name, namespace, mac)
        _set_flags(name, UP)
        near = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        near.bind((name, IPV4))
        near.setblocking(False)
    return near


def _make_veth(name: str, namespace: int, mac: bytes) -> None:
    link = bytes(16)  # struct ifinfomsg: nothing is asked for by number
    far = _attribute(IFLA_IFNAME, NIC.encode()) + _attribute(IFLA_ADDRESS, mac)
    far += _attribute(IFLA_NET_NS_FD, struct.pack("I", namespace))
    peer = _attribute(VETH_INFO_PEER, link + far)
    info = _attribute(INFO_KIND, b"veth") + _attribute(INFO_DATA, peer)
    body = link + _attribute(IFLA_IFNAME, name.encode()) + _attribute(IFLA_LINKINFO, info)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink:
        netlink.send(HEADER.pack(HEADER.size + len(body), RTM_NEWLINK, CREATE | ACK, 1, 0) + body)
        (answer,) = struct.unpack_from("i", netlink.recv(65536), HEADER.size)
    if answer:
        raise OSError(-answer, os.strerror(-answer))


def _attribute(kind: int, data: bytes) -> bytes:
    """A struct rtattr, padded to 4 bytes."""
    made = struct.pack("HH", 4 + len(data), kind) + data
    return made + bytes(-len(made) % 4)


def plug_in(address: str) -> None:
    """Give this thread's NIC its address (a network of 256), and let it compute checksums itself.

    It asks nobody for the other's address: ARP would notice a cut long before TCP does.
    """
    with needed("an address"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for call, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, MASK)):
            name = struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(value))
            _configure(any_socket, call, NIC, name)
        off = ctypes.create_string_buffer(struct.pack("II", ETHTOOL_STXCSUM, 0))
        _configure(any_socket, SIOCETHTOOL, NIC, struct.pack("P", ctypes.addressof(off)))
        _set_flags(NIC, UP | NO_ARP)


def _set_flags(name: str, flags: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        _configure(any_socket, SIOCSIFFLAGS, name, struct.pack("H", flags))


def _configure(any_socket: socket.socket, call: int, name: str, value: bytes) -> None:
    """An ioctl with a struct ifreq: the name of an interface, and a value."""
    fcntl.ioctl(any_socket, call, struct.pack("16s", name.encode()) + value.ljust(24, b"\0"))


def set_up(setting: str, value: int) -> None:
    """Write a setting of this thread's network, such as tcp_retries2."""
    with needed(f"to set {setting}"), open(f"{SETTINGS}/{setting}", "w") as file:
        file.write(str(value))
