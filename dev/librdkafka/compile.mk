# Compiles the client's binary: `make -f compile.mk OUT=… PACKAGE=… NODE=… NAN=… INCLUDE=… JOBS=2`.
# OUT: an empty folder to work in. PACKAGE: @confluentinc/kafka-javascript. NODE: the folder of Node's headers.
#
# OpenSSL, zlib and zstd come from Node itself, which has them inside and lets its modules see them: the binary needs no library of
# the system but libc, and never two OpenSSLs in one process. So the checks of ./configure for these meet empty archives, and what they call
# may stay unresolved. -O1: 100 s of CPU instead of 150 with -O2; GSSAPI, OIDC (curl) and syslog are left out.

rdkafka := $(OUT)/librdkafka
flags := -O1 -fPIC -w -D_FILE_OFFSET_BITS=64 -I$(NODE) -I$(rdkafka)/src -I$(rdkafka)/src-cpp -I$(rdkafka)
module := -std=c++20 -fvisibility=hidden -DBUILDING_NODE_EXTENSION -DNODE_GYP_MODULE_NAME=confluent_kafka_javascript \
  -DUSING_UV_SHARED=1 -DUSING_V8_SHARED=1 -I$(NAN) -I$(PACKAGE)
ours := $(patsubst $(PACKAGE)/src/%.cc,$(OUT)/%.o,$(wildcard $(PACKAGE)/src/*.cc))
wrapper := $(patsubst $(PACKAGE)/deps/librdkafka/src-cpp/%.cpp,$(OUT)/wrapper-%.o,$(wildcard $(PACKAGE)/deps/librdkafka/src-cpp/*.cpp))
library := $(rdkafka)/src/librdkafka.a

$(OUT)/confluent-kafka-javascript.node: $(ours) $(wrapper) $(library)
	$(CXX) -shared -o $@.unstripped $^ -static-libstdc++ -static-libgcc -lm -lpthread -ldl -lrt
	strip --strip-unneeded -o $@ $@.unstripped

$(rdkafka)/config.h:
	cp -r $(PACKAGE)/deps/librdkafka $(rdkafka)
	mkdir -p $(OUT)/empty
	for name in ssl crypto z zstd; do ar cr $(OUT)/empty/lib$$name.a; done
	cd $(rdkafka) && CFLAGS=-O1 CPPFLAGS="-I$(NODE) -I$(INCLUDE)" \
	  LDFLAGS="-L$(OUT)/empty -Wl,--unresolved-symbols=ignore-all" \
	  bash ./configure --enable-ssl --enable-zstd --enable-zlib --disable-gssapi --disable-curl --disable-lz4-ext \
	  --disable-syslog --disable-debug-symbols

$(library): $(rdkafka)/config.h
	$(MAKE) -C $(rdkafka)/src librdkafka.a

$(OUT)/%.o: $(PACKAGE)/src/%.cc $(rdkafka)/config.h
	$(CXX) -c $(flags) $(module) $< -o $@

$(OUT)/wrapper-%.o: $(PACKAGE)/deps/librdkafka/src-cpp/%.cpp $(rdkafka)/config.h
	$(CXX) -c $(flags) $< -o $@
