# hoptrace for hosts where nothing may be installed: what captures, and what asks the host. `make image` builds it.
#
#   docker run --rm --net host --pid host --privileged -v /var/run/docker.sock:/var/run/docker.sock \
#       -v "$PWD":/work hoptrace capture -c web -a duration:30 -o trouble.tar.zst
#
# BASE may be an image that has the packages already; then FETCH=no asks no mirror for them.
ARG BASE=debian:trixie-slim
FROM ${BASE}
ARG FETCH=yes
RUN [ "$FETCH" = no ] || { apt-get update && apt-get install --yes --no-install-recommends \
        conntrack docker-cli ethtool iproute2 iptables nftables python3 python3-venv tcpdump \
    && rm -rf /var/lib/apt/lists/*; }
COPY wheels /wheels
RUN python3 -m venv /opt/hoptrace \
    && /opt/hoptrace/bin/pip install --no-cache-dir --no-compile --no-index --find-links /wheels hoptrace \
    && /opt/hoptrace/bin/pip uninstall --yes --quiet pip \
    && find /opt/hoptrace -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -r {} + \
    && rm -r /wheels
ENV PATH=/opt/hoptrace/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1
WORKDIR /work
ENTRYPOINT ["hoptrace"]
