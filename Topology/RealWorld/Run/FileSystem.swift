import Glibc

/// The few calls on files and folders that a run folder needs.
package enum FileSystem {
    /// Why a call failed: what was to be done, to what, and the system's words.
    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        package var number: Int32
        package var message: String

        package var description: String { self.message }
    }

    /// Returns the whole of a file.
    package static func read(_ path: String, bytesMax: Int = 1 << 30) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("read", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure("read", path) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= bytesMax else {
                throw Failure(number: EFBIG, message: "\(path) is larger than \(bytesMax) bytes")
            }
        }
    }

    /// Returns the whole of a file as text; bytes that are no UTF-8 are replaced.
    package static func readText(_ path: String) throws(Failure) -> String {
        String(decoding: try self.read(path), as: UTF8.self)
    }

    /// Writes a file so that a reader sees the old one or the whole new one.
    package static func write(_ text: String, to path: String) throws(Failure) {
        let temporary = "\(path).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure("write", path) }
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { raw in
                Glibc.write(descriptor, raw.baseAddress, raw.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                let failure = Self.failure("write", path)
                close(descriptor)
                throw failure
            }
            written += count
        }
        close(descriptor)
        guard rename(temporary, path) == 0 else { throw Self.failure("write", path) }
    }

    /// Adds to the end of a file, which is made where there is none.
    package static func append(_ text: String, to path: String) throws(Failure) {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC
        let descriptor = open(path, flags, 0o644)
        guard descriptor >= 0 else { throw Self.failure("write", path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw Self.failure("write", path)
        }
    }

    /// Creates a folder; returns false where something of that name exists.
    package static func makeFolder(_ path: String) throws(Failure) -> Bool {
        if mkdir(path, 0o755) == 0 { return true }
        guard errno == EEXIST else { throw Self.failure("create the folder", path) }
        return false
    }

    /// Creates a folder and those above it, where they do not exist.
    package static func makeFolders(_ path: String) throws(Failure) {
        var prefix = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            prefix += prefix.isEmpty || prefix.hasSuffix("/") ? "\(part)" : "/\(part)"
            if !(try self.makeFolder(prefix)), !self.isFolder(prefix) {
                throw Failure(number: ENOTDIR, message: "\(prefix) exists and is no folder")
            }
        }
    }

    /// Returns the names in a folder in ascending order; none where it cannot be read.
    package static func names(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    package static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Returns the size of a file; 0 where there is none.
    package static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Flips a bit of a byte of a file, as a rotting medium would; returns whether it could.
    package static func flip(_ path: String, at offset: Int) -> Bool {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var byte: UInt8 = 0
        guard pread(descriptor, &byte, 1, off_t(offset)) == 1 else { return false }
        byte ^= 0x40
        return pwrite(descriptor, &byte, 1, off_t(offset)) == 1
    }

    /// Removes a file; returns whether there was one.
    @discardableResult
    package static func remove(_ path: String) -> Bool { unlink(path) == 0 }

    /// Removes a folder and all in it, without following symbolic links out of it.
    package static func removeTree(_ folder: String) {
        for name in self.names(in: folder) {
            let path = "\(folder)/\(name)"
            var status = stat()
            guard lstat(path, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                self.removeTree(path)
            } else {
                unlink(path)
            }
        }
        rmdir(folder)
    }

    /// Points a symbolic link at a target, replacing what it pointed at.
    package static func link(_ path: String, to target: String) {
        let temporary = "\(path).\(getpid())"
        unlink(temporary)
        guard symlink(target, temporary) == 0 else { return }
        if rename(temporary, path) != 0 { unlink(temporary) }
    }

    /// Returns where a path leads, with no links or dots in it; nil where nothing is there.
    package static func absolute(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Returns the path of a program as a shell finds it; as it is where it is not found.
    package static func program(_ name: String) -> String {
        guard !name.isEmpty, !name.contains("/") else { return name }
        let path = self.environment.first { $0.name == "PATH" }?.value ?? "/usr/bin:/bin"
        for folder in path.split(separator: ":") {
            let candidate = "\(folder)/\(name)"
            if access(candidate, X_OK) == 0, !self.isFolder(candidate) { return candidate }
        }
        return name
    }

    /// Returns a path to a socket of the working folder that the kernel takes: at most 107 bytes.
    ///
    /// A longer one leads through this process, for as long as it lives.
    package static func socket(_ path: String) -> String {
        guard path.utf8.count > 107, let slash = path.lastIndex(of: "/") else { return path }
        return "/proc/\(getpid())/cwd\(path[slash...])"
    }

    /// Makes a folder the one that relative paths start from.
    package static func enter(_ folder: String) throws(Failure) {
        guard chdir(folder) == 0 else { throw Self.failure("enter the folder", folder) }
    }

    /// Returns the path of the folder that holds what an absolute path names.
    package static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    /// Returns the folder of the executable that is running.
    package static func executableFolder() -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { raw in
            raw.bindMemory(to: CChar.self).baseAddress.map { readlink("/proc/self/exe", $0, 4096) }
                ?? -1
        }
        guard count > 0 else { return "." }
        let path = String(decoding: buffer[..<count], as: UTF8.self)
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return String(path[..<slash])
    }

    /// The number of this process.
    package static var processID: Int { Int(getpid()) }

    /// The environment of this process.
    package static var environment: [(name: String, value: String)] {
        var variables: [(name: String, value: String)] = []
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                let value = String(text[text.index(after: equals)...])
                variables.append((String(text[..<equals]), value))
            }
            next += 1
        }
        return variables
    }

    private static func failure(_ step: String, _ path: String) -> Failure {
        let number = errno
        return Failure(
            number: number,
            message: "cannot \(step) \(path): \(String(cString: strerror(number)))"
        )
    }
}
