#!/usr/bin/env python3
"""The PC's sound: the RDP client against a PC that plays and PCs that lie, then through the whole gateway."""

import re
import unittest

import desktops
import harness
import sessions
import sound
import stream
import test_rdp_client
from sound import AAC, ADPCM, audio_format, formats, share, wave, wave2
from test_rdp_client import TLS

OPUS = next(number for number, code in stream.constants("codec").items() if code == "opus")

# What a PC might announce, and the two of it that are taken.
ANNOUNCED = [audio_format(ADPCM, 2, 22050, 4), audio_format(), audio_format(rate=22050), audio_format(AAC),
             audio_format(channels=1, rate=48000), audio_format(channels=8, rate=192000, bits=32), audio_format(bits=8),
             audio_format(channels=65535), audio_format(channels=0, align=0), audio_format(rate=0xFFFFFFFF),
             audio_format(align=0), audio_format(align=65535), audio_format(extra=b"xy")]
TAKEN = [(1, 2, 44100, 16), (1, 1, 48000, 16)]

# PDUs after which the client may go on or hang up, and nothing else.
HOSTILE = {
    "a format that was not agreed on": [sound.USUAL, wave2(1, bytes(400))],
    "a format far beyond": [sound.USUAL, wave2(0xFFFF, bytes(400))],
    "sound before formats": [wave2(0xFFFF, bytes(400))],
    "old sound before formats": wave(0xFFFF, bytes(400)),
    "a size that wraps": [sound.USUAL, wave2(0, bytes(400), size=3)],
    "a size beyond": [sound.USUAL, wave2(0, bytes(400), size=0xFFFF)],
    "an old size beyond": [sound.USUAL, *wave(0, bytes(400), size=0xFFFF)],
    "half a frame": [sound.USUAL, wave2(0, bytes(399))],
    "no format": [formats()],
    "fewer formats than said": [formats(audio_format(), count=0xFFFF)],
    "less of a format than said": [formats(audio_format(extra_size=0xFFFF))],
    "sound in a format that was refused": [formats(audio_format(channels=65535)), wave2(0, bytes(400))],
    "other formats in the middle": [sound.USUAL, wave2(0, bytes(400)), formats(audio_format(rate=8000)), wave2(0, bytes(400))],
    "a cut wave": [sound.USUAL, wave(0, bytes(400))[0], bytes(2)],
    "cut PDUs": [bytes([99, 0, 0, 0]), b"\1", bytes([3, 0, 4, 0, 1])],
}


class Channel(test_rdp_client.Case):
    """What is agreed on, what arrives, and what a PC cannot do."""

    def talking(self, way, audio=True):
        """A PC and the client connected to it, and how the sound channel's opening went."""
        peer = sound.Peer(self.folder)
        self.addCleanup(peer.stop)
        client = self.connected(peer, security=TLS, size=(640, 480), audio=audio)
        client.expect("painted")
        peer.expect("activated")
        return peer, client, peer.open(way)

    def channels(self, client):
        client.send("channels")
        return client.expect("channels").split()[2:]

    def plays(self, way, opened, how):
        peer, client, answer = self.talking(way)
        self.assertEqual(answer, opened)
        self.assertEqual(peer.agree(*ANNOUNCED), TAKEN)
        peer.say(sound.training(513))
        self.assertEqual(peer.heard(sound.TRAINING), bytes([1, 2, 0, 0]))
        pcm = self.folder / "pcm"
        client.send(f"sound {pcm}")
        peer.play(1000, 1000, way=how)
        peer.expect("played")
        harness.until("every wave to be confirmed", lambda: peer.confirmed() == 50)
        client.send("heard")
        self.assertEqual(client.expect("heard"), "heard 44100 loudest 12000")
        self.assertEqual(self.channels(client)[:2], ["static=drdynvc,rdpsnd", "loaded=rdpgfx,disp,rdpsnd"])
        self.assertEqual(client.quit(), 0)
        self.assertEqual([line for line in client.seen if line.startswith("sound")], ["sound 44100 2"])
        for channel in sound.channels_of(sound.samples_of(pcm)):
            self.assertGreater(share(channel, 1000, 44100), 0.99)

    def test_static_channel(self):
        self.plays("static", "opened", "wave")

    def test_dynamic_channel(self):
        self.plays("dynamic", "ready", "wave2")

    def test_mono(self):
        peer, client, _ = self.talking("static")
        self.assertEqual(peer.agree(*ANNOUNCED), TAKEN)
        peer.play(200, 1000, rate=48000, channels=1, number=1)
        harness.until("every wave to be confirmed", lambda: peer.confirmed() == 10)
        client.send("heard")
        self.assertEqual(client.expect("heard"), "heard 9600 loudest 12000")
        self.assertIn("sound 48000 1", client.seen)
        self.assertEqual(client.quit(), 0)

    def test_volume(self):
        peer, client, _ = self.talking("static")
        peer.agree(audio_format())
        peer.say(sound.volume(0, 0x8000))
        pcm = self.folder / "volume"
        client.send(f"sound {pcm}")
        peer.play(200, 1000)
        harness.until("every wave to be confirmed", lambda: peer.confirmed() == 10)
        self.assertEqual(client.quit(), 0)
        left, right = sound.channels_of(sound.samples_of(pcm))
        self.assertEqual(max(map(abs, left)), 0)
        self.assertEqual(max(map(abs, right)), 6000)

    def test_nothing_of_it_where_policy_says_no(self):
        for way, wanted in (("static", "not-joined"), ("dynamic", "refused")):
            with self.subTest(way):
                _, client, answer = self.talking(way, audio=False)
                self.assertEqual(answer, wanted)
                self.assertEqual(self.channels(client)[:2], ["static=drdynvc", "loaded=rdpgfx,disp"])
                self.assertEqual("channel-refused AUDIO_PLAYBACK_DVC" in client.seen, way == "dynamic")
                self.assertEqual(client.quit(), 0)

    def test_hostile(self):
        """Whatever it says: the client goes on or ends the connection, plays nothing of it that is not PCM, and is well."""
        tries = [("static", name) for name in HOSTILE]
        tries += [("dynamic", name) for name in ("a format far beyond", "less of a format than said")]
        for way, name in tries:
            with self.subTest(name, way=way):
                peer, client, _ = self.talking(way)
                peer.say(*HOSTILE[name])
                if way == "static":
                    # Answered when the client has come so far, unless it has hung up.
                    peer.say(sound.training())
                    peer.expect(f"got {sound.TRAINING:02x}", "left")
                else:
                    # It closes the channel and says nothing.
                    client.settle(200, 400)
                try:
                    client.send("quit")
                except BrokenPipeError:
                    pass
                self.assertIn(client.wait(), (0, 3))
                self.assertFalse({"sound 44100 65535", "sound 8000 2"} & set(client.seen))
                peer.stop()


class Xrdp(test_rdp_client.Case):
    """A server that others wrote."""

    @unittest.skipUnless(harness.ROOT, "xrdp logs people in, which needs root")
    def test_a_desktop_that_plays(self):
        pc = desktops.Xrdp(self.folder / "xrdp")
        self.addCleanup(pc.stop)
        client = self.connected(pc, security=TLS, size=(640, 480), audio=True)
        client.expect("painted")
        sink = sound.XrdpSink(harness.until("the display", lambda: re.findall(r"display (\d+)", pc.process.log.read_text()))[-1])
        self.addCleanup(sink.close)
        pcm = self.folder / "xrdp.pcm"
        client.send(f"sound {pcm}")
        sink.play(1500, 1000)
        client.expect("sound 44100 2")
        client.send("channels")
        self.assertIn("static=drdynvc,rdpsnd", client.expect("channels"))
        self.assertEqual(client.quit(), 0)
        # It sends full buffers only, and keeps the rest.
        samples = sound.samples_of(pcm)
        self.assertGreater(len(samples), 44100)
        for channel in sound.channels_of(samples):
            self.assertGreater(share(channel, 1000, 44100), 0.95)


class Gateway(sessions.Case):
    """From the PC to a viewer's ears."""

    def pc(self, name, **more):
        """A PC of this name, and a session on it."""
        peer = sound.Peer(self.gateway.dir)
        self.addCleanup(peer.stop)
        session = self.open(self.host_for(peer, name, "rdp", security="tls", **more))
        peer.expect("activated")
        return peer, session

    def until_played(self, peer, viewer):
        def played():
            peer.confirmed()
            return "played" in peer.seen
        viewer.until("the tone to be played", played)
        while viewer.step(0.3):
            pass

    def hears(self, viewer, hertz):
        opus = sound.Opus()
        self.addCleanup(opus.close)
        samples = [sample for packet in viewer.sounds for sample in opus.decode(packet["packet"])]
        for channel in sound.channels_of(samples):
            # Without the codec's first steps, and what the resampler has not got all of.
            self.assertGreater(share(channel[9600:28800], hertz, 48000), 0.95)

    def test_a_tone_arrives(self):
        peer, session = self.pc("loud", audio="yes")
        viewer = self.view(session, codecs=OPUS).until_picture()
        self.assertEqual(viewer.hello["audio"], 1)
        self.assertEqual(peer.open("static"), "opened")
        self.assertEqual(peer.agree(*ANNOUNCED), TAKEN)
        peer.play(1000, 880)
        self.until_played(peer, viewer)
        self.assertIn(len(viewer.sounds), range(45, 51))
        numbers = [packet["sequence"] for packet in viewer.sounds]
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        self.assertLess(sum(len(packet["packet"]) for packet in viewer.sounds), 20000)
        self.hears(viewer, 880)
        # Forbidden now: the session that may do more than policy ends.
        self.gateway.cli("host", "set", "--name", "loud", "--audio", "no")
        self.until_ended(session, "revoked-pc")
        self.assertEqual([row["audio"] for row in self.gateway.rows("host", "list") if row["name"] == "loud"], ["no"])

    def test_nothing_arrives_where_policy_says_no(self):
        peer, session = self.pc("quiet")
        viewer = self.view(session, codecs=OPUS).until_picture()
        self.assertEqual(viewer.hello["audio"], 0)
        self.assertEqual(peer.open("dynamic"), "refused")
        peer.send("open static")
        self.assertEqual(peer.expect("opened", "not-joined"), "not-joined")
        harness.until("the refusal in the audit log", lambda: any(
            "AUDIO_PLAYBACK_DVC" in str(row) for row in self.gateway.rows("audit", "list")))
        self.assertEqual(viewer.sounds, [])

    def test_a_viewer_without_opus_gets_none(self):
        peer, session = self.pc("unheard", audio="yes")
        viewer = self.view(session).until_picture()
        self.assertEqual(viewer.hello["audio"], 1)
        self.assertEqual(peer.open("static"), "opened")
        peer.agree(audio_format())
        peer.play(300, 880)
        self.until_played(peer, viewer)
        harness.until("every wave to be confirmed", lambda: peer.confirmed() == 15)
        self.assertEqual(viewer.sounds, [])


if __name__ == "__main__":
    harness.main()
